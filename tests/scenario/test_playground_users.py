#!/usr/bin/env python3
"""The playground's users, tokens, ratings and pizzas from elsewhere. Environment: QUICKPIZZA, path of the program."""
import concurrent.futures
import http.cookies
import os
import re
import tempfile
import unittest

from quickpizza_server import TOKEN, QuickPizza

AUTH_ERROR = {'error': 'authentication failed'}
EXPIRED = 'Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Strict'


class UsersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = QuickPizza()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        cls.names = 0

    def post(self, path, body=None, **kwargs):
        return self.server.request('POST', path, body, **kwargs)

    @classmethod
    def new_name(cls):
        cls.names += 1
        return '%s-%d' % (cls.__name__.lower(), cls.names)

    def new_user(self):
        """A fresh user's token."""
        credentials = {'username': self.new_name(), 'password': 'secret'}
        self.assertEqual(self.post('/api/users', credentials).status, 201)
        return self.post('/api/users/token/login', credentials).json['token']

    def ask(self, token, method, path, body=None):
        return self.server.request(method, path, body, headers={'Authorization': 'Token ' + token})


class SignUp(UsersTest):
    def error(self, body):
        answer = self.post('/api/users', body)
        self.assertEqual(answer.status, 400, body)
        self.assertEqual(answer.headers['Content-Type'], 'application/json')
        return answer.json['error']

    def test_a_new_user_gets_the_next_id(self):
        with QuickPizza() as server:
            answer = server.request('POST', '/api/users', {'username': 'alice1', 'password': 'x'})
            self.assertEqual((answer.status, answer.text), (201, '{"id":4,"username":"alice1"}\n'))

    def test_what_is_refused(self):
        for body, words in (
            ({}, 'username field is empty'),
            ({'username': '', 'password': 'x'}, 'username field is empty'),
            ({'username': 'x' * 33, 'password': 'x'}, 'username field is too long'),
            ({'username': 'é' * 17, 'password': 'x'}, 'username field is too long'),
            ({'username': 'default', 'password': 'x'}, 'username field is invalid'),
            ({'username': 'somebody'}, 'password is empty'),
            ({'username': 'somebody', 'password': ''}, 'password is empty'),
            ({'username': 'somebody', 'password': 'x' * 73}, 'password is invalid'),
            ({'username': 'studio-user', 'password': 'x'}, 'username already taken'),
            ('', 'EOF'),
            ({'name': 'x'}, 'json: unknown field "name"'),
            ({'username': 5}, 'json: cannot unmarshal number into Go struct field User.username of type string'),
        ):
            self.assertEqual(self.error(body), words)

    def test_a_name_is_taken_once_even_when_many_want_it_at_once(self):
        body = {'username': self.new_name(), 'password': 'x'}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = sorted(pool.map(lambda _: self.post('/api/users', body).status, range(8)))
        self.assertEqual(statuses, [201] + [400] * 7)

    def test_names_have_up_to_32_bytes_of_any_kind(self):
        for name in ('x' * 32, 'é' * 16, 'a b"<'):
            self.assertEqual(self.post('/api/users', {'username': name, 'password': 'x'}).json['username'], name)

    def test_a_sign_up_does_not_hold_up_others(self):
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            many = [pool.submit(self.post, '/api/users', {'username': self.new_name(), 'password': 'x'})
                    for _ in range(24)]
            self.assertEqual(self.server.request('GET', '/api/tools', user=1).status, 200)
            # two dozen hashes take seconds of CPU time
            self.assertIn(False, [f.done() for f in many])
            self.assertEqual({f.result().status for f in many}, {201})


class Login(UsersTest):
    def login(self, body, query='', cookie=None):
        return self.post('/api/users/token/login' + query, body, headers={'Cookie': cookie} if cookie else {})

    def test_any_password_is_right_for_the_default_user(self):
        for password in ('12345678', '', 'anything'):
            answer = self.login({'username': 'default', 'password': password})
            self.assertEqual((answer.status, answer.text), (200, '{"token":"%s"}\n' % TOKEN))
            self.assertIsNone(answer.headers['Set-Cookie'])

    def test_seed_users(self):
        for name, password, token in (('synthetics_multihttp_example', 'synthetics_multihttp_example', 'woSyhhrE3pQVUxMU'),
                                      ('studio-user', 'k6studiorocks', 'oBGOPc5tVtk9WAgf')):
            self.assertEqual(self.login({'username': name, 'password': password}).json, {'token': token})
            self.assertEqual(self.login({'username': name, 'password': 'x'}).status, 401)

    def test_a_created_user(self):
        credentials = {'username': self.new_name(), 'password': 'påssword'}
        self.post('/api/users', credentials)
        token = self.login(credentials).json['token']
        self.assertRegex(token, '^[A-Za-z0-9]{16}$')
        self.assertEqual(self.login(credentials).json['token'], token)
        for wrong in ('passwort', '', 'påssword ', 'x' * 100):
            answer = self.login({**credentials, 'password': wrong})
            self.assertEqual((answer.status, answer.json), (401, AUTH_ERROR))

    def test_nobody(self):
        answer = self.login({'username': 'nobody', 'password': 'x'})
        self.assertEqual((answer.status, answer.json), (401, AUTH_ERROR))
        self.assertEqual(self.login({}).status, 401)
        self.assertEqual(self.login('{bad').status, 400)

    def csrf(self):
        answer = self.post('/api/csrf-token')
        self.assertEqual((answer.status, answer.body), (200, b''))
        found = re.fullmatch(r'csrf_token=([A-Za-z0-9]{32}); Path=/; SameSite=Strict', answer.headers['Set-Cookie'])
        return found.group(1)

    def test_with_set_cookie_the_csrf_token_must_be_that_of_the_cookie(self):
        csrf = self.csrf()
        body = {'username': 'default', 'password': 'x', 'csrf': csrf}
        answer = self.login(body, '?set_cookie=true', 'csrf_token=' + csrf)
        self.assertEqual((answer.status, answer.json), (200, {'token': TOKEN}))
        self.assertEqual(answer.headers.get_all('Set-Cookie'),
                         ['qp_user_token=%s; Path=/; SameSite=Strict' % TOKEN, 'csrf_token=; ' + EXPIRED])
        for wrong_body, cookie in ((body, None), (body, 'csrf_token=x'), ({**body, 'csrf': ''}, 'csrf_token=' + csrf)):
            answer = self.login(wrong_body, '?set_cookie=1', cookie)
            self.assertEqual((answer.status, answer.json), (401, {'error': 'invalid csrf token'}))
            self.assertIsNone(answer.headers['Set-Cookie'])

    def test_two_csrf_tokens_that_are_absent_are_equal(self):
        self.assertEqual(self.login({'username': 'default'}, '?set_cookie=1').status, 200)

    def test_without_set_cookie_it_does_not_matter(self):
        self.assertEqual(self.login({'username': 'default', 'csrf': 'x'}).status, 200)
        self.assertEqual(self.login({'username': 'default', 'csrf': 'x'}, '?set_cookie=').status, 200)

    def test_authenticate(self):
        answer = self.ask('aaaaaaaaaaaaaaaa', 'POST', '/api/users/token/authenticate')
        self.assertEqual((answer.status, answer.text),
                         (200, '{"id":1,"username":"default","token":"abcdef0123456789"}\n'))
        answer = self.ask('oBGOPc5tVtk9WAgf', 'POST', '/api/users/token/authenticate')
        self.assertEqual(answer.json, {'id': 3, 'username': 'studio-user', 'token': 'oBGOPc5tVtk9WAgf'})
        answer = self.post('/api/users/token/authenticate', headers={'Cookie': 'qp_user_token=woSyhhrE3pQVUxMU'})
        self.assertEqual(answer.json['id'], 2)
        for headers in ({}, {'Authorization': 'token tooshort'}, {'X-User-ID': '1'}):
            answer = self.post('/api/users/token/authenticate', headers=headers)
            self.assertEqual((answer.status, answer.json), (401, AUTH_ERROR))

    def test_logout(self):
        answer = self.ask(TOKEN, 'POST', '/api/users/token/logout')
        self.assertEqual((answer.status, answer.body), (200, b''))
        self.assertEqual(answer.headers['Set-Cookie'], 'qp_user_token=; ' + EXPIRED)
        self.assertEqual(self.post('/api/users/token/logout').status, 401)

    def test_a_browser_goes_through_all_of_it(self):
        jar = http.cookies.SimpleCookie()

        def step(path, body=None):
            cookies = '; '.join('%s=%s' % (k, m.value) for k, m in jar.items() if m.value)
            answer = self.post(path, body, headers={'Cookie': cookies} if cookies else {})
            for line in answer.headers.get_all('Set-Cookie') or []:
                jar.load(line)
            return answer
        step('/api/csrf-token')
        body = {'username': 'studio-user', 'password': 'k6studiorocks', 'csrf': jar['csrf_token'].value}
        self.assertEqual(step('/api/users/token/login?set_cookie=true', body).status, 200)
        self.assertEqual(step('/api/users/token/authenticate').json['username'], 'studio-user')
        self.assertEqual(step('/api/ratings', {'pizza_id': 1, 'stars': 5}).status, 201)
        self.assertEqual(step('/api/users/token/logout').status, 200)
        self.assertEqual(step('/api/users/token/authenticate').status, 401)


class Ratings(UsersTest):
    def test_rating_and_what_it_looks_like(self):
        with QuickPizza() as server:
            answer = server.request('POST', '/api/ratings', {'pizza_id': 1, 'stars': 5},
                                    headers={'Authorization': 'Token ' + TOKEN})
            self.assertEqual((answer.status, answer.text), (201, '{"id":4,"stars":5,"pizza_id":1}\n'))
            listed = server.request('GET', '/api/ratings', headers={'Authorization': 'Token ' + TOKEN})
            self.assertEqual(listed.text, '{"ratings":[{"id":1,"stars":5,"pizza_id":1},{"id":2,"stars":1,"pizza_id":2},'
                                          '{"id":3,"stars":1,"pizza_id":3},{"id":4,"stars":5,"pizza_id":1}]}\n')

    def test_every_route_needs_a_user(self):
        for method, path in (('POST', '/api/ratings'), ('GET', '/api/ratings'), ('GET', '/api/ratings/1'),
                             ('PUT', '/api/ratings/1'), ('PATCH', '/api/ratings/1'), ('DELETE', '/api/ratings/1'),
                             ('DELETE', '/api/ratings')):
            answer = self.server.request(method, path)
            self.assertEqual((answer.status, answer.json), (401, AUTH_ERROR), path)

    def test_a_new_pizza_can_be_rated_at_once(self):
        token = self.new_user()
        pizza = self.server.pizza().json['pizza']['id']
        self.assertEqual(self.ask(token, 'POST', '/api/ratings', {'pizza_id': pizza, 'stars': 1}).status, 201)

    def test_what_is_refused(self):
        token = self.new_user()
        stars = 'number of stars must be between 1 and 5 (inclusive)'
        for body, words in (({'pizza_id': 1}, stars), ({'pizza_id': 1, 'stars': 0}, stars),
                            ({'pizza_id': 1, 'stars': 6}, stars), ({'pizza_id': 123456, 'stars': 9}, stars),
                            ({'pizza_id': 123456, 'stars': 3}, 'pizza ID 123456 not found'),
                            ({'stars': 3}, 'pizza ID 0 not found'), ('', 'EOF'),
                            ({'pizza_id': 1, 'stars': 1, 'x': 1}, 'json: unknown field "x"'),
                            ({'stars': '5'}, 'json: cannot unmarshal string into Go struct field Rating.stars of type int')):
            answer = self.ask(token, 'POST', '/api/ratings', body)
            self.assertEqual((answer.status, answer.json['error']), (400, words))

    def test_only_ones_own(self):
        alice, bob = self.new_user(), self.new_user()
        self.assertEqual(self.ask(bob, 'GET', '/api/ratings').text, '{"ratings":[]}\n')
        rating = self.ask(alice, 'POST', '/api/ratings', {'pizza_id': 2, 'stars': 4}).json
        path = '/api/ratings/%d' % rating['id']
        self.assertEqual(self.ask(alice, 'GET', path).json, rating)
        self.assertEqual(self.ask(alice, 'GET', '/api/ratings').json, {'ratings': [rating]})
        for number in (rating['id'], 1, 999999):
            answer = self.ask(bob, 'GET', '/api/ratings/%d' % number)
            self.assertEqual((answer.status, answer.json), (404, {'error': 'not found'}))
        self.assertEqual(self.ask(bob, 'GET', '/api/ratings').json, {'ratings': []})
        for method, body in (('PUT', {'stars': 1}), ('DELETE', None)):
            answer = self.ask(bob, method, path, body)
            self.assertEqual((answer.status, answer.json), (400, {'error': 'rating ID %d not found' % rating['id']}))
        self.assertEqual(self.ask(alice, 'GET', path).json, rating)

    def test_changing_the_stars_and_nothing_else(self):
        token = self.new_user()
        rating = self.ask(token, 'POST', '/api/ratings', {'pizza_id': 2, 'stars': 4}).json
        path = '/api/ratings/%d' % rating['id']
        for method, stars in (('PUT', 1), ('PATCH', 2)):
            answer = self.ask(token, method, path, {'stars': stars, 'pizza_id': 3, 'id': 99})
            self.assertEqual((answer.status, answer.json), (200, {**rating, 'stars': stars}))
        self.assertEqual(self.ask(token, 'GET', path).json['stars'], 2)
        answer = self.ask(token, 'PUT', path, {'stars': 6})
        self.assertEqual((answer.status, answer.json['error']), (400, 'number of stars must be between 1 and 5 (inclusive)'))
        answer = self.ask(token, 'PUT', '/api/ratings/9999', {'stars': 1})
        self.assertEqual((answer.status, answer.json), (400, {'error': 'rating ID 9999 not found'}))

    def test_deleting(self):
        token = self.new_user()
        ids = [self.ask(token, 'POST', '/api/ratings', {'pizza_id': 1, 'stars': 3}).json['id'] for _ in range(3)]
        for expected in (204, 400):
            answer = self.ask(token, 'DELETE', '/api/ratings/%d' % ids[0])
            self.assertEqual(answer.status, expected)
        self.assertEqual(answer.json, {'error': 'rating ID %d not found' % ids[0]})
        self.assertEqual(len(self.ask(token, 'GET', '/api/ratings').json['ratings']), 2)
        for _ in range(2):
            answer = self.ask(token, 'DELETE', '/api/ratings')
            self.assertEqual((answer.status, answer.body), (204, b''))
        self.assertEqual(self.ask(token, 'GET', '/api/ratings').json, {'ratings': []})

    def test_the_default_user_may_only_create_and_look(self):
        rating = self.ask(TOKEN, 'POST', '/api/ratings', {'pizza_id': 1, 'stars': 3}).json
        path = '/api/ratings/%d' % rating['id']
        self.assertEqual(self.ask(TOKEN, 'GET', path).json, rating)
        for method, where, body in (('PUT', path, {'stars': 1}), ('PATCH', path, {'stars': 1}), ('DELETE', path, None),
                                    ('DELETE', '/api/ratings', None)):
            answer = self.ask(TOKEN, method, where, body)
            self.assertEqual((answer.status, answer.json), (403, {'error': 'operation not permitted for default user'}))
        # the body is looked at first
        self.assertEqual(self.ask(TOKEN, 'PUT', path, {'stars': 9}).status, 400)
        # a customer id stands for the default user
        self.assertEqual(self.server.request('DELETE', '/api/ratings', user=7).status, 403)

    def test_a_list_has_at_most_50(self):
        token = self.new_user()
        connection = self.server.connect()
        for _ in range(60):
            self.server.request('POST', '/api/ratings', {'pizza_id': 1, 'stars': 3}, connection=connection,
                                headers={'Authorization': 'Token ' + token})
        connection.close()
        self.assertEqual(len(self.ask(token, 'GET', '/api/ratings').json['ratings']), 50)

    def test_an_id_that_is_no_number_is_a_404_and_one_too_long_a_400(self):
        self.assertEqual(self.ask(TOKEN, 'GET', '/api/ratings/abc').text, '404 page not found\n')
        self.assertEqual(self.ask(TOKEN, 'GET', '/api/ratings/' + '9' * 30).status, 400)


class FromElsewhere(UsersTest):
    PIZZA = {'name': 'The Other', 'dough': {'ID': 2, 'name': 'Thick', 'caloriesPerSlice': 200},
             'ingredients': [{'ID': 1, 'name': 'Extra virgin olive oil', 'caloriesPerSlice': 50, 'vegetarian': True},
                             {'ID': 40}], 'tool': 'Knife'}

    def record(self, body, headers=None):
        return self.post('/api/internal/recommendations', body, headers=headers or {'X-Is-Internal': '1'})

    def test_a_recorded_pizza_is_there_for_all(self):
        answer = self.record(self.PIZZA)
        self.assertEqual(answer.status, 201)
        pizza = answer.json
        self.assertEqual(list(pizza), ['id', 'name', 'dough', 'ingredients', 'tool'])
        self.assertEqual((pizza['name'], pizza['dough']['name'], pizza['tool']), ('The Other', 'Thick', 'Knife'))
        self.assertEqual([i['name'] for i in pizza['ingredients']], ['Extra virgin olive oil', 'Basil'])
        self.assertEqual(self.server.request('GET', '/api/internal/recommendations/%d' % pizza['id']).json, pizza)
        history = self.server.request('GET', '/api/internal/recommendations', headers={'Cookie': 'admin_token=x'}).json
        self.assertEqual(history['pizzas'][0], pizza)

    def test_the_next_id_whatever_the_body_says(self):
        first = self.record({**self.PIZZA, 'id': 77}).json['id']
        self.assertEqual(self.record(self.PIZZA).json['id'], first + 1)

    def test_strangers_are_refused(self):
        for headers in ({'X-Other': '1'}, {'X-Is-Internal': ''}, {'Authorization': 'Token ' + TOKEN}):
            answer = self.record(self.PIZZA, headers)
            self.assertEqual((answer.status, answer.json), (401, AUTH_ERROR))

    def test_a_customer_id_is_enough_as_it_once_was(self):
        self.assertEqual(self.record(self.PIZZA, {'X-User-ID': '5'}).status, 201)

    def test_what_is_refused(self):
        for body, words in (
            ('', 'EOF'),
            ({'x': 1}, 'json: unknown field "x"'),
            ({'dough': {'caloriesPerSlice': 'x'}},
             'json: cannot unmarshal string into Go struct field Dough.dough.caloriesPerSlice of type int'),
            ({'ingredients': [{'vegetarian': 1}]},
             'json: cannot unmarshal number into Go struct field Ingredient.ingredients.vegetarian of type bool'),
            ({'ingredients': {}}, 'json: cannot unmarshal object into Go struct field Pizza.ingredients of type []model.Ingredient'),
            ({**self.PIZZA, 'dough': {'ID': 9}}, 'dough ID 9 not found'),
            ({**self.PIZZA, 'ingredients': [{'ID': 41}]}, 'ingredient ID 41 not found'),
            ({**self.PIZZA, 'ingredients': [{'ID': 1}] * 65}, 'more than 64 ingredients'),
            ({**self.PIZZA, 'tool': 'Spoon'}, 'unknown tool'),
        ):
            answer = self.record(body)
            self.assertEqual((answer.status, answer.json['error']), (400, words))


class EarlierAdmin(UsersTest):
    def test_the_login_of_earlier_versions(self):
        answer = self.server.request('GET', '/api/login?user=admin&password=admin', user=1)
        self.assertEqual(answer.status, 200)
        self.assertIn('admin_token=' + answer.json['token'], answer.headers['Set-Cookie'])
        self.assertEqual(self.server.request('GET', '/api/login?user=admin&password=admin').status, 401)
        self.assertEqual(self.server.request('GET', '/api/login?user=admin&password=x', user=1).status, 401)
        self.assertEqual(self.server.request('GET', '/api/login?user=admin', user=1).status, 400)
        self.assertEqual(self.server.request('POST', '/api/login?user=admin&password=admin', user=1).status, 404)

    def test_the_history_opens_with_an_authorization_and_a_customer_id(self):
        def status(headers):
            return self.server.request('GET', '/api/internal/recommendations', headers=headers).status
        self.assertEqual(status({'X-User-ID': '1', 'Authorization': 'abc'}), 200)
        self.assertEqual(status({'Authorization': 'Token ' + TOKEN}), 401)
        self.assertEqual(status({'X-User-ID': '1'}), 401)
        self.assertEqual(status({'Cookie': 'admin_token='}), 401)


class Database(unittest.TestCase):
    def test_users_and_ratings_outlive_a_restart(self):
        with tempfile.TemporaryDirectory() as folder:
            env = {'QUICKPIZZA_DB': os.path.join(folder, 'pizza.db')}
            credentials = {'username': 'alice', 'password': 'secret'}
            with QuickPizza(env=env) as server:
                server.request('POST', '/api/users', credentials)
                token = server.request('POST', '/api/users/token/login', credentials).json['token']
                headers = {'Authorization': 'Token ' + token}
                rating = server.request('POST', '/api/ratings', {'pizza_id': 1, 'stars': 2}, headers).json
            with QuickPizza(env=env) as server:
                self.assertEqual(server.request('POST', '/api/users/token/login', credentials).json['token'], token)
                self.assertEqual(server.request('GET', '/api/ratings', headers=headers).json, {'ratings': [rating]})
                self.assertEqual(server.request('POST', '/api/users', credentials).status, 400)

    def test_only_the_newest_users_and_ratings_stay(self):
        env = {'QUICKPIZZA_DB_FIXED_USERS': '4', 'QUICKPIZZA_DB_MAX_USERS': '2',
               'QUICKPIZZA_DB_FIXED_RATINGS': '5', 'QUICKPIZZA_DB_MAX_RATINGS': '3'}
        with QuickPizza(env=env) as server:
            for number in range(6):
                answer = server.request('POST', '/api/users', {'username': 'u%d' % number, 'password': 'x'})
                self.assertEqual(answer.json['id'], 4 + number)
            there = [server.request('POST', '/api/users/token/login', {'username': 'u%d' % n, 'password': 'x'}).status == 200
                     for n in range(6)]
            self.assertEqual(there, [True, False, False, False, True, True])
            for _ in range(12):
                last = server.request('POST', '/api/ratings', {'pizza_id': 1, 'stars': 1}, user=1).json['id']
            ids = [r['id'] for r in server.request('GET', '/api/ratings', user=1).json['ratings']]
            self.assertEqual(ids, [1, 2, 3, 4, 5, last - 2, last - 1, last])


if __name__ == '__main__':
    unittest.main()
