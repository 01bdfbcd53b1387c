#!/usr/bin/env python3
"""A visit of a site by its pages: log in with the form's hidden token, follow links, send what the forms
say. Environment: KILN, path of the program."""
import unittest
import urllib.parse

from http_server import HttpServer
from kiln_runner import kiln, script

LOGIN = '''<!DOCTYPE html><title>Log in</title><noscript><form id="wrong"></form></noscript>
<form id="login" action="session?step=1" method="POST">
 <input type="hidden" name="token" value="t&amp;1"><input name="user" value=""><input name="pass" type="password">
 <select name="roles" multiple><option selected>a<option>b<option selected>c</select>
 <button name="go" value="in" type="submit">Log in</button></form>
<form id="search" action="/find?old=1#top"><input name="q" value="x y"><input name="n" value="1"></form>
<form id="plain" method="put"><input name="k" value="v"></form>'''

HOME = '''<h1 data-user-id="7">Hello, %s</h1><nav><a id="about" href="../about">About</a>
<a class="out" href="/logout?a=1&amp;b=2">Out</a><a id="anchor" name="x">x</a></nav>'''


class Site:
    def __init__(self):
        self.seen = []

    def serve(self, http):
        body = http.body().decode()
        self.seen.append((http.command, http.path, body, http.headers.get('Content-Type'), http.headers.get('X-From')))
        path = urllib.parse.urlsplit(http.path).path
        if path == '/account/login':
            http.answer(200, LOGIN, [('Set-Cookie', 'sid=1; Path=/')])
        elif path == '/account/session':
            http.answer(303, '', [('Location', '/account/home')])
        elif path == '/account/home':
            http.answer(200, HOME % ('you' if 'sid=1' in http.headers.get('Cookie', '') else 'stranger'))
        else:
            http.answer(200, '<p>%s</p>' % path)


SCRIPT = '''
import http from 'k6/http';
import { check } from 'k6';
export default function () {
  const base = __ENV.BASE;
  const login = http.get(`${base}/account/login`);
  const form = login.html('#login');
  console.log(form.find('[name=token]').attr('value'), form.get(0).action(), login.html().find('#wrong').size());
  const home = login.submitForm({ formSelector: '#login', fields: { user: 'joe & co', pass: 'ä' },
    params: { headers: { 'X-From': 'form' }, tags: { step: 'login' } } });
  console.log(home.status, home.html('h1').text(), home.html('h1').data('userID'));
  console.log(home.clickLink().url.replace(base, ''));
  console.log(home.clickLink({ selector: '.out', params: { headers: { 'X-From': 'link' } } }).body);
  login.submitForm({ formSelector: '#search', fields: { n: 2, extra: ['a', 'b'] } });
  login.submitForm({ formSelector: '#plain' });
  for (const f of [() => login.submitForm({ formSelector: '#none' }), () => home.clickLink({ selector: 'q' }),
    () => home.clickLink({ selector: '#anchor' }), () => login.submitForm(null)]) {
    try { f(); } catch (e) { console.log(String(e).replaceAll(base, '')); }
  }
}
'''


class Forms(unittest.TestCase):
    def test_a_visit(self):
        site = Site()
        with HttpServer(site.serve) as server:
            base = server.url
            run = kiln('run', '--quiet', '-e', 'BASE=' + base, script(self, SCRIPT))
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(run.messages, [
            't&1 %s/account/session?step=1 0' % base,
            '200 Hello, you 7',
            '/about',
            '<p>/logout</p>',
            "GoError: no form found for selector '#none' in response '/account/login'",
            "GoError: no element found for selector 'q' in response '/account/home'",
            "GoError: no valid href attribute value found on element '#anchor' in response '/account/home'",
            'TypeError: Cannot convert undefined or null to object',
        ])
        form = 'application/x-www-form-urlencoded'
        self.assertEqual(site.seen, [
            ('GET', '/account/login', '', None, None),
            ('POST', '/account/session?step=1',
             'go=in&pass=%C3%A4&roles=%5Ba+c%5D&token=t%261&user=joe+%26+co', form, 'form'),
            ('GET', '/account/home', '', None, 'form'),
            ('GET', '/about', '', None, None),
            ('GET', '/logout?a=1&b=2', '', None, 'link'),
            ('GET', '/find?extra=a%2Cb&n=2&q=x+y', '', None, None),
            ('PUT', '/account/login', 'k=v', form, None),
        ])


if __name__ == '__main__':
    unittest.main()
