#!/usr/bin/env python3
"""The playground's settings: environment variables, flags, database, log. Environment: QUICKPIZZA, path of the program."""
import os
import subprocess
import tempfile
import time
import unittest

from quickpizza_server import PROGRAM, QuickPizza


class Settings(unittest.TestCase):
    def test_config_shows_the_public_settings(self):
        with QuickPizza() as server:
            self.assertEqual(server.request('GET', '/api/config').text, '{}\n')
        with QuickPizza(env={'QUICKPIZZA_CONF_B_KEY': 'two=more=cut', 'QUICKPIZZA_CONF_A': '1'}) as server:
            self.assertEqual(server.request('GET', '/api/config').text, '{"a":"1","b_key":"two"}\n')

    def test_delays(self):
        with QuickPizza(env={'QUICKPIZZA_DELAY_COPY_API_QUOTES': '300', 'QUICKPIZZA_DELAY_COPY': 'nonsense'}) as server:
            start = time.monotonic()
            server.request('GET', '/api/names')
            self.assertLess(time.monotonic() - start, 0.25)
            start = time.monotonic()
            server.request('GET', '/api/quotes')
            self.assertGreaterEqual(time.monotonic() - start, 0.3)

    def seconds(self, server, method, path, body=None):
        start = time.monotonic()
        self.assertEqual(server.request(method, path, body, user=1).status, 200, path)
        return time.monotonic() - start

    def test_every_delay_is_that_of_its_routes(self):
        pizza = ('POST', '/api/pizza', {'customName': 'x'})
        get = ('GET', '/api/pizza/1')
        routes = {
            'COPY': (('GET', '/api/quotes'), ('GET', '/api/names'), ('GET', '/api/adjectives')),
            'COPY_API_NAMES': (('GET', '/api/names'),),
            'COPY_API_ADJECTIVES': (('GET', '/api/adjectives'),),
            'RECOMMENDATIONS': (pizza, get),
            'RECOMMENDATIONS_API_PIZZA_GET': (get,),
            'RECOMMENDATIONS_API_PIZZA_POST': (pizza,),
            'FRONTEND_CSS_ASSETS': (('GET', '/assets/style.css'),),
            'FRONTEND_PNG_ASSETS': (('GET', '/images/pizza.png'),),
        }
        others = {('GET', '/'), ('GET', '/api/quotes'), get[:2], ('GET', '/assets/style.css')}
        for name, slow in routes.items():
            with self.subTest(name), QuickPizza(env={'QUICKPIZZA_DELAY_' + name: '200'}) as server:
                for route in slow:
                    self.assertGreaterEqual(self.seconds(server, *route), 0.2)
                for route in others - {route[:2] for route in slow}:
                    self.assertLess(self.seconds(server, *route), 0.2)

    def test_the_pause_of_names(self):
        def mean(value, count):
            with QuickPizza(env={'QUICKPIZZA_NAME_PAUSE': value}) as server:
                return sum(self.seconds(server, 'POST', '/api/pizza', {}) for _ in range(count)) / count
        self.assertLess(mean('0', 30), 0.02)
        self.assertGreater(mean('', 30), 0.025)  # 0.05: as upstream
        self.assertGreater(mean('400', 10), 0.08)  # 0.2

    def test_a_step_that_takes_too_long_fails(self):
        env = {'QUICKPIZZA_TIMEOUT': '100ms', 'QUICKPIZZA_DELAY_COPY_API_NAMES': '150'}
        with QuickPizza(env=env) as server:
            start = time.monotonic()
            self.assertEqual(server.pizza().status, 500)
            self.assertLess(time.monotonic() - start, 1)

    def test_services_one_by_one(self):
        routes = {'HTTP_TESTING': '/api/get', 'TEST_K6_IO': '/pi.php', 'CONFIG': '/api/config', 'PUBLIC_API': '/',
                  'CATALOG': '/api/tools', 'COPY': '/api/quotes', 'RECOMMENDATIONS': '/api/pizza/1'}

        def reachable(env):
            with QuickPizza(env=env) as server:
                self.assertEqual(server.request('GET', '/ready').status, 200)
                return {name for name, path in routes.items() if server.request('GET', path, user=1).status == 200}
        self.assertEqual(reachable({'QUICKPIZZA_ENABLE_ALL_SERVICES': 'true'}), set(routes))
        self.assertEqual(reachable({'QUICKPIZZA_ENABLE_ALL_SERVICES': '0'}), set())
        for name in routes:
            env = {'QUICKPIZZA_ENABLE_ALL_SERVICES': 'false', 'QUICKPIZZA_ENABLE_%s_SERVICE' % name: 'T'}
            self.assertEqual(reachable(env), {name})
        # names of earlier versions
        self.assertEqual(reachable({'QUICKPIZZA_ALL_SERVICES': 'false', 'QUICKPIZZA_COPY': '1'}), {'COPY'})

    def test_fail_rate(self):
        with QuickPizza(env={'QUICKPIZZA_FAIL_RATE_RECOMMENDATIONS_API_PIZZA_POST': '100'}) as server:
            answer = server.pizza('{bad')
            self.assertEqual((answer.status, answer.json), (503, {'error': 'Pizza service temporarily unavailable'}))
            self.assertEqual(server.request('POST', '/api/pizza').status, 401)

    def test_only_the_newest_pizzas_stay(self):
        with QuickPizza(env={'QUICKPIZZA_DB_FIXED_PIZZAS': '5', 'QUICKPIZZA_DB_MAX_PIZZAS': '10'}) as server:
            connection = server.connect()
            for _ in range(40):
                last = server.pizza(connection=connection).json['pizza']['id']
            connection.close()
            there = [i for i in range(1, last + 1) if server.request('GET', '/api/pizza/%d' % i, user=1).status == 200]
            self.assertEqual(there, [1, 2, 3, 4, 5] + list(range(last - 9, last + 1)))

    def test_a_database_file_keeps_pizzas_over_a_restart(self):
        with tempfile.TemporaryDirectory() as folder:
            env = {'QUICKPIZZA_DB': os.path.join(folder, 'pizza.db')}
            with QuickPizza(env=env) as server:
                first = server.pizza().json['pizza']
            with QuickPizza(env=env) as server:
                self.assertEqual(server.request('GET', '/api/pizza/%d' % first['id'], user=1).json, first)
                self.assertEqual(server.pizza().json['pizza']['id'], first['id'] + 1)

    def test_log_file(self):
        with tempfile.NamedTemporaryFile('r') as log:
            with QuickPizza('--log-file', log.name) as server:
                server.pizza()
                with open(server.log.name) as stderr:
                    self.assertEqual(stderr.read(), '')
            text = log.read()
        self.assertIn('msg="New pizza recommendation"', text)
        self.assertIn('msg="QuickPizza stops"', text)

    def test_quiet(self):
        with QuickPizza('--quiet') as server:
            server.pizza()
            server.process.terminate()
            server.process.wait(20)
            self.assertNotIn('/api/pizza', server.log_text())

    def test_stopping_answers_those_who_wait(self):
        with QuickPizza(env={'QUICKPIZZA_DELAY_COPY_API_QUOTES': '60000'}) as server:
            connection = server.connect()
            connection.request('GET', '/api/quotes')
            server.request('GET', '/ready')
            server.process.terminate()
            start = time.monotonic()
            self.assertEqual(server.process.wait(20), 0)
            self.assertLess(time.monotonic() - start, 10)
            connection.close()


class CommandLine(unittest.TestCase):
    def run_program(self, *arguments, env=None):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=30,
                              env={**os.environ, **(env or {})})

    def test_help_and_version(self):
        self.assertIn('--listen ADDR:PORT', self.run_program('--help').stdout)
        self.assertRegex(self.run_program('--version').stdout, r'^quickpizza v\d+\.\d+')

    def test_a_busy_port_is_said_clearly(self):
        with QuickPizza() as server:
            for arguments, env in ((('--listen', '127.0.0.1:%d' % server.port), None),
                                   ((), {'QUICKPIZZA_LISTEN': '127.0.0.1:%d' % server.port})):
                result = self.run_program(*arguments, env=env)
                self.assertEqual(result.returncode, 1)
                self.assertIn('the port is in use', result.stderr)

    def test_mistakes_are_said_clearly(self):
        for arguments, env, words in (
            (('--nope',), None, "unknown flag '--nope'"),
            (('--listen',), None, 'needs a value'),
            (('--listen', '3333'), None, "cannot listen on '3333': expected ADDR:PORT"),
            (('extra',), None, "unexpected argument 'extra'"),
            ((), {'QUICKPIZZA_DB': '/nonexistent/pizza.db'}, "cannot open '/nonexistent/pizza.db'"),
            ((), {'QUICKPIZZA_DB': 'postgres://127.0.0.1:1/x'}, 'cannot connect to PostgreSQL'),
        ):
            result = self.run_program(*arguments, env=env)
            self.assertEqual((result.returncode, result.stdout), (1, ''))
            self.assertIn(words, result.stderr)


if __name__ == '__main__':
    unittest.main()
