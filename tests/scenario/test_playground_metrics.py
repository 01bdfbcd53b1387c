#!/usr/bin/env python3
"""The playground's /metrics in Prometheus's text form. Environment: QUICKPIZZA, path of the program."""
import collections
import re
import threading
import time
import unittest

from quickpizza_server import QuickPizza
from test_playground_ws import PING, PONG, TEXT, Client

SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)')
PREFIX = 'quickpizza_server_'

# name of the family: (type, help)
FAMILIES = {
    'http_request_duration_seconds': ('histogram', 'The duration of HTTP requests'),
    'http_request_duration_seconds_gauge': ('gauge', 'The duration of HTTP requests (Gauge)'),
    'http_request_duration_seconds_native': ('histogram', 'The duration of HTTP requests (Native Histogram)'),
    'http_requests_total': ('counter', 'The total number of HTTP requests'),
    'number_of_ingredients_per_pizza': ('histogram', 'The number of ingredients per pizza'),
    'number_of_ingredients_per_pizza_native': ('histogram', 'The number of ingredients per pizza (Native Histogram)'),
    'pizza_calories_per_slice': ('histogram', 'The number of calories per slice of pizza'),
    'pizza_calories_per_slice_native': ('histogram', 'The number of calories per slice of pizza (Native Histogram)'),
    'pizza_recommendations_total': ('counter', 'The total number of pizza recommendations'),
    'ws_connection_duration_seconds': ('histogram', 'Duration of WebSocket connections'),
    'ws_connections_active': ('gauge', 'Number of active WebSocket connections'),
    'ws_message_processing_duration_seconds': ('histogram', 'Time to process and broadcast incoming WebSocket messages'),
    'ws_messages_received_total': ('counter', 'Total number of messages received via WebSocket'),
}


class Scrape:
    """The text taken apart: samples[name][labels as a frozenset of pairs] = value."""

    def __init__(self, text):
        self.samples, self.families, self.bounds = collections.defaultdict(dict), {}, collections.defaultdict(list)
        helps = {}
        assert text.endswith('\n')
        for line in text.splitlines():
            word = line.split(' ', 3)
            if line.startswith('# HELP '):
                helps[word[2]] = word[3]
            elif line.startswith('# TYPE '):
                assert word[2] not in self.families, line
                self.families[word[2]] = (word[3], helps[word[2]])
            else:
                found = SAMPLE.match(line)
                assert found, line
                labels = frozenset(LABEL.findall(found.group(2) or ''))
                assert labels not in self.samples[found.group(1)], line
                self.samples[found.group(1)][labels] = float(found.group(3))

    def value(self, name, **labels):
        return self.samples[PREFIX + name].get(frozenset(labels.items()))

    def buckets(self, name, **labels):
        """[(bound, count), …] of a histogram's series, rising."""
        wanted = frozenset(labels.items())
        return sorted((float(dict(key)['le'].replace('+Inf', 'inf')), value)
                      for key, value in self.samples[PREFIX + name + '_bucket'].items()
                      if frozenset((k, v) for k, v in key if k != 'le') == wanted)


class Metrics(unittest.TestCase):
    def setUp(self):
        self.server = QuickPizza()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)

    def scrape(self, method='GET'):
        answer = self.server.request(method, '/metrics')
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers['Content-Type'], 'text/plain; version=0.0.4; charset=utf-8')
        return Scrape(answer.text)

    def test_the_families_are_quickpizzas(self):
        self.server.pizza()
        families = self.scrape().families
        own = {name[len(PREFIX):]: family for name, family in families.items() if name.startswith(PREFIX)}
        self.assertEqual(own, FAMILIES)
        for name in ('process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_open_fds',
                     'process_start_time_seconds', 'promhttp_metric_handler_requests_total'):
            self.assertIn(name, families)

    def test_the_process(self):
        values = {name: list(found.values())[0] for name, found in self.scrape().samples.items()
                  if name.startswith('process_')}
        self.assertTrue(1e6 < values['process_resident_memory_bytes'] < values['process_virtual_memory_bytes'], values)
        self.assertLess(abs(values['process_start_time_seconds'] - time.time()), 60)
        self.assertTrue(0 < values['process_cpu_seconds_total'] < 60)
        self.assertTrue(4 < values['process_open_fds'] < values['process_max_fds'])

    def test_any_method(self):
        for method in ('GET', 'POST', 'PUT', 'DELETE'):
            self.scrape(method)

    def test_requests_count_by_method_route_and_status(self):
        for path in ('/api/ratings/1', '/api/ratings/2', '/api/tools', '/', '/admin', '/nope'):
            self.server.request('GET', path, user=1)
        self.server.request('GET', '/api/tools')
        self.server.request('GET', '/ready')
        self.server.request('GET', '/healthz')
        self.server.request('GET', '/metrics')
        scrape = self.scrape()
        counts = {tuple(dict(key)[k] for k in ('method', 'path', 'status')): value
                  for key, value in scrape.samples[PREFIX + 'http_requests_total'].items()}
        self.assertEqual(counts, {('GET', r'/api/ratings/{id:\\d+}', '200'): 2, ('GET', '/api/tools', '200'): 1,
                                  ('GET', '/api/tools', '401'): 1, ('GET', '/*', '200'): 2, ('GET', '/*', '404'): 1})

    def test_durations(self):
        self.server.request('GET', '/api/delay/30ms')
        self.server.request('GET', '/api/delay/0')
        labels = {'method': 'GET', 'path': '/api/delay/{delay}', 'status': '200'}
        scrape = self.scrape()
        buckets = scrape.buckets('http_request_duration_seconds', **labels)
        self.assertEqual([bound for bound, _ in buckets],
                         [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, float('inf')])
        counts = dict(buckets)
        self.assertLessEqual(counts[0.025], 1)
        self.assertEqual((counts[10], counts[float('inf')]), (2, 2))
        self.assertEqual(scrape.value('http_request_duration_seconds_count', **labels), 2)
        self.assertTrue(0.03 <= scrape.value('http_request_duration_seconds_sum', **labels) < 10)
        self.assertEqual(scrape.buckets('http_request_duration_seconds_native', **labels), [(float('inf'), 2)])
        last = scrape.value('http_request_duration_seconds_gauge', **labels)
        self.assertTrue(0 < last < scrape.value('http_request_duration_seconds_sum', **labels))

    def test_pizzas(self):
        pizzas = [self.server.pizza({'customName': 'x', 'excludedTools': ['Scissors', 'Pizza cutter']}).json
                  for _ in range(10)]
        scrape = self.scrape()
        for is_vegetarian in (True, False):
            count = sum(p['vegetarian'] == is_vegetarian for p in pizzas)
            self.assertEqual(scrape.value('pizza_recommendations_total', tool='Knife',
                                          vegetarian=str(is_vegetarian).lower()) or 0, count)
        buckets = scrape.buckets('number_of_ingredients_per_pizza')
        self.assertEqual([bound for bound, _ in buckets], list(range(1, 21)) + [float('inf')])
        for bound, count in buckets:
            self.assertEqual(count, sum(len(p['pizza']['ingredients']) <= bound for p in pizzas))
        buckets = scrape.buckets('pizza_calories_per_slice')
        self.assertEqual([bound for bound, _ in buckets], list(range(100, 2001, 100)) + [float('inf')])
        self.assertEqual(scrape.value('pizza_calories_per_slice_sum'), sum(p['calories'] for p in pizzas))

    def test_websocket(self):
        clients = [Client(self.server) for _ in range(3)]
        for client in clients:
            client.send(PING, b'in?')
            self.assertEqual(client.read(), (PONG, b'in?'))
        self.assertEqual(self.scrape().value('ws_connections_active'), 3)
        for _ in range(5):
            clients[0].send(TEXT, b'hello')
            self.assertEqual(clients[1].read(), (TEXT, b'hello'))
        scrape = self.scrape()
        self.assertEqual(scrape.value('ws_messages_received_total'), 5)
        self.assertEqual(scrape.value('ws_message_processing_duration_seconds_count'), 5)
        self.assertEqual(scrape.value('ws_connection_duration_seconds_count'), 0)
        for client in clients:
            client.close()
        while scrape.value('ws_connections_active') != 0:
            scrape = self.scrape()
        self.assertEqual(scrape.value('ws_connection_duration_seconds_count'), 3)

    def test_counts_are_exact_when_many_count_at_once(self):
        def many():
            connection = self.server.connect()
            for _ in range(200):
                self.server.request('GET', '/api/get', connection=connection)
            connection.close()
        threads = [threading.Thread(target=many) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.scrape().value('http_requests_total', method='GET', path='/api/get', status='200'), 1200)

    def test_series_have_a_limit(self):
        connection = self.server.connect()
        for method in ('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'FOO'):
            for status in range(200, 600):
                self.server.request(method, '/api/status/%d' % status, connection=connection)
        connection.close()
        self.assertLessEqual(len(self.scrape().samples[PREFIX + 'http_requests_total']), 2048)


if __name__ == '__main__':
    unittest.main()
