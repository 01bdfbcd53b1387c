#!/usr/bin/env python3
"""The playground's httpbin-style routes and the pages of test.k6.io. Environment: QUICKPIZZA, path of the program."""
import base64
import html.parser
import re
import time
import unittest
import xml.etree.ElementTree as ET

from quickpizza_server import QuickPizza

METHODS = ('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')


class TestingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = QuickPizza()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def get(self, path, **kwargs):
        return self.server.request('GET', path, **kwargs)


class HttpTesting(TestingTest):
    def test_status_of_any_method(self):
        for status in (200, 204, 299, 301, 304, 404, 418, 500, 503, 599):
            answer = self.get('/api/status/%d' % status)
            self.assertEqual((answer.status, answer.body), (status, b''))
        for method in METHODS:
            self.assertEqual(self.server.request(method, '/api/status/202').status, 202, method)

    def test_status_that_is_none(self):
        for text in ('99', '600', '0', '9' * 30):
            self.assertEqual(self.get('/api/status/' + text).status, 400, text)
        self.assertEqual(self.get('/api/status/abc').status, 404)

    def test_bytes(self):
        for count in (0, 1, 7, 2048):
            answer = self.get('/api/bytes/%d' % count)
            self.assertEqual((answer.status, len(answer.body)), (200, count))
            self.assertEqual(answer.headers['Content-Type'], 'application/octet-stream')
            self.assertEqual(answer.headers['Content-Length'], str(count))
        long = self.get('/api/bytes/3000001')
        self.assertEqual((len(long.body), long.headers['Transfer-Encoding']), (3000001, 'chunked'))
        self.assertEqual(len(set(long.body)), 256)
        self.assertNotEqual(self.get('/api/bytes/64').body, self.get('/api/bytes/64').body)
        self.assertEqual(self.get('/api/bytes/' + '9' * 30).body, b'')
        self.assertEqual(self.get('/api/bytes/x').status, 404)

    def seconds(self, delay):
        start = time.monotonic()
        answer = self.get('/api/delay/' + delay)
        self.assertEqual((answer.status, answer.body), (200, b''))
        return time.monotonic() - start

    def test_delay_takes_seconds_and_durations(self):
        for delay, seconds in (('0.3', 0.3), ('150ms', 0.15), ('.2s', 0.2)):
            taken = self.seconds(delay)
            self.assertTrue(seconds <= taken < seconds + 2, (delay, taken))
        for delay in ('0', '-20', '-20000ms'):
            self.assertLess(self.seconds(delay), 10)

    def test_delay_that_is_none(self):
        for text in ('x', '1x', '1ss', '1e3'):
            self.assertEqual(self.get('/api/delay/' + text).status, 400, text)

    def test_get_and_delete_are_empty(self):
        for method, path in (('GET', '/api/get'), ('DELETE', '/api/delete')):
            answer = self.server.request(method, path)
            self.assertEqual((answer.status, answer.body), (200, b''))
        self.assertEqual(self.server.request('POST', '/api/get').status, 404)

    def test_echoes(self):
        for method, path in (('POST', '/api/post'), ('PUT', '/api/put'), ('PATCH', '/api/patch')):
            for body in (b'', b'hello', b'\0\xff' * 5000):
                answer = self.server.request(method, path, body, {'Content-Type': 'text/x; a=b'})
                self.assertEqual((answer.status, answer.body), (200, body))
                self.assertEqual(answer.headers['Content-Type'], 'text/x; a=b')
        self.assertIn(self.server.request('POST', '/api/post', b'x').headers['Content-Type'], (None, ''))
        self.assertEqual(self.get('/api/post').status, 404)

    def test_echoes_take_16_mib(self):
        body = bytes(range(256)) * (1 << 16)
        self.assertEqual(self.server.request('POST', '/api/post', body).body, body)
        self.assertEqual(self.server.request('POST', '/api/post', body + b'x').status, 413)

    def test_cookies(self):
        self.assertEqual(self.get('/api/cookies').text, '{"cookies":{}}\n')
        self.assertEqual(self.get('/api/cookies', headers={'Cookie': 'b=2; a=1'}).text, '{"cookies":{"a":"1","b":"2"}}\n')

    def test_cookies_to_order(self):
        answer = self.server.request('POST', '/api/cookies?x=1&y=two&x=3')
        self.assertEqual((answer.status, answer.body), (200, b''))
        self.assertEqual(sorted(answer.headers.get_all('Set-Cookie')), ['x=1', 'y=two'])
        answer = self.server.request('POST', '/api/cookies?' + '&'.join('c%02d=%d' % (i, i) for i in range(40)))
        self.assertEqual(len(answer.headers.get_all('Set-Cookie')), 40)
        # nothing a client says can add a header
        answer = self.server.request('POST', '/api/cookies?a%0d%0aX-Evil%3a%201=1&b=1%0d%0aX-Evil:%201%3bc')
        self.assertEqual(answer.headers.get_all('Set-Cookie'), ['b="1X-Evil: 1c"'])
        self.assertIsNone(answer.headers['X-Evil'])

    def test_headers(self):
        connection = self.server.connect()
        connection.putrequest('GET', '/api/headers', skip_accept_encoding=True)
        for name, value in (('x-foo', 'a'), ('Accept', '*/*'), ('X-FOO', 'b')):
            connection.putheader(name, value)
        connection.endheaders()
        text = connection.getresponse().read().decode()
        connection.close()
        self.assertEqual(text, '{"headers":{"Accept":"*/*","Host":"127.0.0.1:%d","X-Foo":"a,b"}}\n' % self.server.port)

    def test_basic_auth_never_refuses(self):
        def ask(credentials, scheme='Basic '):
            headers = {'Authorization': scheme + base64.b64encode(credentials).decode()} if credentials else {}
            answer = self.get('/api/basic-auth/u/p', headers=headers)
            self.assertEqual(answer.status, 200)
            return answer.text
        self.assertEqual(ask(b'u:p'), '{"authenticated":true,"password":"p","user":"u"}\n')
        self.assertEqual(ask(b'u:p', 'basic '), '{"authenticated":true,"password":"p","user":"u"}\n')
        for wrong in (None, b'u:x', b'x:p', b'up', b'u:p:q', b':'):
            self.assertEqual(ask(wrong), '{"authenticated":false,"password":"p","user":"u"}\n')
        for broken in ('Basic', 'Basic ====', 'Basic !!!!', 'Basic dTpw=', 'Token dTpw'):
            self.assertFalse(self.get('/api/basic-auth/u/p', headers={'Authorization': broken}).json['authenticated'])

    def test_json(self):
        self.assertEqual(self.get('/api/json').text, '{}\n')
        self.assertEqual(self.get('/api/json?b=%3C&a=1&a=2&c').text, '{"a":"1","b":"\\u003c","c":""}\n')

    def test_xml(self):
        answer = self.get('/api/xml?a=1')
        self.assertEqual(answer.text, '<response><params><key>a</key><value>1</value><index>0</index></params></response>')
        self.assertEqual(answer.headers['Content-Type'], 'application/xml')
        self.assertEqual(self.get('/api/xml').text, '<response></response>')
        root = ET.fromstring(self.get('/api/xml?a%3Cb=%26%22%27&x=%C3%A9%01%FF').body)
        found = {p.findtext('key'): p.findtext('value') for p in root}
        self.assertEqual(found, {'a<b': '&"\'', 'x': 'é\ufffd\ufffd'})
        self.assertEqual(sorted(p.findtext('index') for p in root), ['0', '1'])


class Elements(html.parser.HTMLParser):
    """Collects (tag, attributes) and the text of each element that closes."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.open.append([tag, ''])

    def handle_data(self, data):
        for element in self.open:
            element[1] += data

    def handle_endtag(self, tag):
        for i in range(len(self.open) - 1, -1, -1):
            if self.open[i][0] == tag:
                self.texts.append((tag, self.open.pop(i)[1].strip()))
                return

    def text(self, tag):
        return [text for name, text in self.texts if name == tag]

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def ids(self):
        return {attributes['id'] for _, attributes in self.tags if 'id' in attributes}


class Legacy(TestingTest):
    def page(self, path, **kwargs):
        answer = self.get(path, **kwargs)
        self.assertEqual((answer.status, answer.headers['Content-Type']), (200, 'text/html; charset=utf-8'), path)
        return Elements(answer.text)

    def test_pages_take_any_method(self):
        for path in ('/contacts.php', '/news.php', '/browser.php', '/my_messages.php', '/admin.php', '/test.k6.io/'):
            for method in METHODS:
                self.assertEqual(self.server.request(method, path).status, 200, (method, path))

    def test_index(self):
        page = self.page('/test.k6.io/')
        self.assertEqual((page.text('title'), page.text('h1')), (['QuickPizza Legacy'], ['QuickPizza Legacy']))
        self.assertEqual(page.all('h1'), [{'class': 'title'}])  # //header//h1[@class="title"] of k6's example
        self.assertEqual(page.text('h2'), ['Public pages', 'Authenticated pages'])
        for link in page.all('a'):
            self.assertEqual(self.get(link['href']).status, 200, link)
        self.assertLessEqual({'/contacts.php', '/news.php', '/browser.php', '/my_messages.php', '/flip_coin.php'},
                             {link['href'] for link in page.all('a')})

    def test_the_way_to_the_index(self):
        answer = self.get('/test.k6.io')
        self.assertEqual((answer.status, answer.headers['Location']), (301, 'test.k6.io/'))
        answer = self.get('/test.k6.io/index.html')
        self.assertEqual((answer.status, answer.headers['Location']), (301, './'))

    def test_static_files(self):
        for path, kind, start in (('/test.k6.io/static/css/site.css', 'text/css; charset=utf-8', b'body'),
                                  ('/test.k6.io/static/logo.svg', 'image/svg+xml', b'<svg'),
                                  ('/test.k6.io/static/favicon.ico', 'image/x-icon', b'\0\0\1\0\1\0'),
                                  ('/test.k6.io/static/favicon.png', 'image/png', b'\x89PNG'),
                                  ('/favicon.ico', 'image/x-icon', b'\0\0\1\0\1\0')):
            answer = self.get(path)
            self.assertEqual((answer.status, answer.headers['Content-Type']), (200, kind), path)
            self.assertTrue(answer.body.startswith(start), path)

    def test_contacts_and_news(self):
        for path, title, heading in (('/contacts.php', 'Contacts', 'Contact us'), ('/news.php', 'News', 'In the news')):
            page = self.page(path)
            self.assertEqual((page.text('title'), page.text('h3')), ([title], [heading]))

    def test_flip_coin(self):
        seen = set()
        for query, bet in (('?bet=heads', 'heads'), ('?bet=tails', 'tails'), ('?bet=x', 'heads'), ('', 'heads')):
            for _ in range(40):
                page = self.page('/flip_coin.php' + query)
                self.assertEqual(page.text('title'), ['Flip coin. Your choice is ' + bet])
                self.assertIn('Your bet: %s.' % bet, page.text('p'))
                toss = re.search(r'Toss result: (heads|tails)!', ' '.join(page.text('p'))).group(1)
                self.assertEqual(page.text('h2'), ['You won!' if toss == bet else 'You lost!'])
                seen.add(toss == bet)
        self.assertEqual(seen, {True, False})
        self.assertEqual([f['method'] for f in page.all('form')], ['GET', 'GET'])
        self.assertEqual([i['value'] for i in page.all('input') if i['type'] == 'submit'], ['Bet on heads!', 'Bet on tails!'])
        self.assertEqual(self.server.request('POST', '/flip_coin.php').status, 404)

    def test_pi(self):
        for query, digits in (('', '3.14'), ('?decimals=3', '3.141'), ('?decimals=0', '3.'), ('?decimals=-1', '3.14'),
                              ('?decimals=x', '3.14'), ('?decimals=10', '3.1415926535')):
            answer = self.get('/pi.php' + query)
            self.assertEqual((answer.text, answer.headers['Content-Type']), (digits, 'text/plain; charset=utf-8'))
        self.assertEqual(len(self.get('/pi.php?decimals=500').text), 72)

    def test_my_messages_and_admin(self):
        page = self.page('/my_messages.php')
        self.assertEqual((page.text('title'), page.text('h2')), (['My messages'], ['Login']))
        self.assertEqual((page.all('form')[0]['action'], page.all('form')[0]['method']), ('/admin.php', 'POST'))
        inputs = {i.get('name', i.get('value')): i['type'] for i in page.all('input')}
        self.assertEqual(inputs, {'redir': 'hidden', 'csrftoken': 'hidden', 'login': 'text', 'password': 'password',
                                  'Go!': 'submit'})
        page = Elements(self.server.request('POST', '/admin.php', 'login=admin&password=123').text)
        self.assertEqual((page.text('title'), page.text('h2')), (['My messages'], ['Welcome, admin!']))
        self.assertEqual(len(page.text('tr')), 1 + 3)
        self.assertEqual((page.all('form')[0]['action'], page.all('input')[-1]['value']), ('/my_messages.php', 'Logout'))

    def test_browser(self):
        page = self.page('/browser.php')
        self.assertLessEqual(
            {'geolocation-info-display', 'locale-info-display', 'network-info-display', 'timezone-info-display',
             'useragent-info-display', 'cookies-info-display', 'checkbox1', 'checkbox-info-display', 'counter-button',
             'counter-info-display', 'text1', 'text-info-display', 'input-text-disabled', 'input-text-hidden',
             'numbers-options', 'select-multiple-info-display', 'colors-options', 'off-screen'}, page.ids())
        for text in ('No interaction', 'Counter: 0', 'Nothing selected'):
            self.assertIn(text, page.text('p'))
        script = self.get(page.all('script')[0]['src']).text
        for text in ('Thanks for checking the box', "You've just unchecked the box", 'Counter: '):
            self.assertIn(text, script)


class Ranges(TestingTest):
    PATH = '/images/pizza.png'

    def test_a_part_of_a_file(self):
        whole = self.get(self.PATH).body
        for text, first, last in (('0-9', 0, 9), ('5-', 5, len(whole) - 1), ('-7', len(whole) - 7, len(whole) - 1)):
            answer = self.get(self.PATH, headers={'Range': 'bytes=' + text})
            self.assertEqual((answer.status, answer.body), (206, whole[first:last + 1]))
            self.assertEqual(answer.headers['Content-Range'], 'bytes %d-%d/%d' % (first, last, len(whole)))
            self.assertEqual(answer.headers['Content-Length'], str(last - first + 1))
            self.assertEqual(answer.headers['Content-Type'], 'image/png')

    def test_outside_of_the_file(self):
        answer = self.get(self.PATH, headers={'Range': 'bytes=999999-'})
        self.assertEqual(answer.status, 416)
        self.assertRegex(answer.headers['Content-Range'], r'^bytes \*/\d+$')

    def test_several_parts_are_the_whole(self):
        self.assertEqual(self.get(self.PATH, headers={'Range': 'bytes=0-1,3-4'}).status, 200)
        self.assertEqual(self.get(self.PATH, headers={'Range': 'bytes=0-1', 'If-Range': '"x"'}).status, 200)

    def test_answers_of_the_api_have_no_parts(self):
        self.assertEqual(self.get('/api/quotes', headers={'Range': 'bytes=0-1'}).status, 200)


if __name__ == '__main__':
    unittest.main()
