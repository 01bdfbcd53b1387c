#!/usr/bin/env python3
"""The playground on a PostgreSQL server of the test's own. Environment: QUICKPIZZA, path of the program."""
import concurrent.futures
import subprocess
import sys
import time
import unittest

from postgres_server import Postgres, find_programs
from quickpizza_server import PROGRAM, TOKEN, QuickPizza

CREDENTIALS = {'username': 'alice', 'password': 'secret'}


class PostgresTest(unittest.TestCase):
    def setUp(self):
        self.postgres = Postgres()
        self.postgres.__enter__()
        self.addCleanup(self.postgres.__exit__)
        self.env = {'QUICKPIZZA_DB': self.postgres.url}

    def start(self, **env):
        server = QuickPizza(env={**self.env, **env})
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def run_program(self):
        return subprocess.run([PROGRAM, '--listen', '127.0.0.1:0'], env=self.env, timeout=30, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_everything_is_stored_and_found_again(self):
        with QuickPizza(env=self.env) as server:
            self.assertEqual(server.request('GET', '/api/tools', user=1).text,
                             '{"tools":["Knife","Pizza cutter","Scissors"]}\n')
            self.assertEqual(len(server.request('GET', '/api/ingredients/topping', user=1).json['ingredients']), 32)
            pizza = server.pizza().json['pizza']
            self.assertEqual(pizza['id'], 4)
            self.assertEqual(server.request('POST', '/api/users', CREDENTIALS).text, '{"id":4,"username":"alice"}\n')
            self.assertEqual(server.request('POST', '/api/users', CREDENTIALS).status, 400)
            token = server.request('POST', '/api/users/token/login', CREDENTIALS).json['token']
            headers = {'Authorization': 'Token ' + token}
            rating = server.request('POST', '/api/ratings', {'pizza_id': 4, 'stars': 2}, headers).json
            self.assertEqual(server.request('PUT', '/api/ratings/4', {'stars': 5}, headers).json, {**rating, 'stars': 5})
        self.assertEqual(self.postgres.query('SELECT username FROM users WHERE id = 4'), [['alice']])
        with QuickPizza(env=self.env) as server:
            self.assertEqual(server.request('GET', '/api/pizza/4', headers=headers).json, pizza)
            self.assertEqual(server.pizza().json['pizza']['id'], 5)
            self.assertEqual(server.request('POST', '/api/users/token/login', CREDENTIALS).json['token'], token)
            self.assertEqual(server.request('GET', '/api/ratings', headers=headers).json['ratings'],
                             [{**rating, 'stars': 5}])
            self.assertEqual(server.request('DELETE', '/api/ratings/4', headers=headers).status, 204)
            self.assertEqual(server.request('DELETE', '/api/ratings/4', headers=headers).status, 400)

    def test_the_newest_stay(self):
        server = self.start(QUICKPIZZA_DB_FIXED_PIZZAS='5', QUICKPIZZA_DB_MAX_PIZZAS='10')
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            ids = sorted(pool.map(lambda _: server.pizza().json['pizza']['id'], range(100)))
        self.assertEqual(ids, list(range(4, 104)))
        there = [i for i in range(1, 104) if server.request('GET', '/api/pizza/%d' % i, user=1).status == 200]
        self.assertEqual(there, [1, 2, 3, 4, 5] + list(range(94, 104)))

    def test_names_that_are_no_text_for_postgres(self):
        server = self.start()
        for name, shown in (('x' * 63 + 'é', 'x' * 63 + '\ufffd'), ('a\0b', 'a\ufffdb'), ("o'$1?", "o'$1?")):
            pizza = server.pizza({'customName': name}).json['pizza']
            stored = server.request('GET', '/api/pizza/%d' % pizza['id'], user=1).json
            self.assertEqual(stored, {**pizza, 'name': shown})

    def test_a_server_that_comes_back_is_used_again(self):
        server = self.start()
        headers = {'Authorization': 'Token ' + TOKEN}
        first = server.pizza().json['pizza']
        self.assertEqual(server.request('GET', '/api/pizza/%d' % first['id'], user=1).json, first)
        self.postgres.stop()
        self.assertEqual(server.request('GET', '/api/tools', user=1).status, 200)
        self.assertEqual(server.request('GET', '/api/ratings', headers=headers).status, 500)
        server.wait_for_log(r'level=ERROR msg="database: ')
        self.postgres.start()
        end = time.monotonic() + 20
        while server.request('GET', '/api/ratings', headers=headers).status != 200:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)
        self.assertEqual(server.request('GET', '/api/pizza/%d' % first['id'], user=1).json, first)
        second = server.pizza().json['pizza']
        self.assertEqual(server.request('GET', '/api/pizza/%d' % second['id'], user=1).json, second)

    def test_a_database_has_one_owner(self):
        self.start()
        run = self.run_program()
        self.assertEqual(run.returncode, 1)
        self.assertIn('another quickpizza uses it', run.stderr)

    def test_tables_of_another_program_are_left_alone(self):
        self.postgres.query('CREATE TABLE pizzas (x INTEGER)')
        run = self.run_program()
        self.assertEqual(run.returncode, 1)
        self.assertIn('tables of another program', run.stderr)
        self.assertEqual(self.postgres.query('SELECT count(*) FROM pizzas'), [['0']])


if __name__ == '__main__':
    if find_programs() is None:
        print('PostgreSQL is not installed (tools/setup.sh test installs it)')
        sys.exit(77)
    unittest.main()
