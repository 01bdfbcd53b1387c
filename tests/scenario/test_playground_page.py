#!/usr/bin/env python3
"""The playground's pages in a real browser: what browser scripts look for, by mouse and by keyboard.
Environment: QUICKPIZZA, path of the program; SCREENSHOTS, a directory to put pictures in."""
import json
import os
import re
import sys
import unittest

from chromium import Chromium, find_program
from quickpizza_server import QuickPizza

HEADING = 'Looking to break out of your pizza routine?'


def setUpModule():
    global chromium
    chromium = Chromium()
    chromium.__enter__()
    unittest.addModuleCleanup(chromium.__exit__)


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = QuickPizza(env={'QUICKPIZZA_CONF_OTHER': '1'})
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        cls.base = 'http://%s:%d' % (cls.server.host, cls.server.port)

    def open(self, path='/'):
        page = chromium.open(self.base + path)
        self.addCleanup(page.close)
        page.resize(1000, 1100)
        return page

    def shoot(self, page, name):
        if 'SCREENSHOTS' in os.environ:
            page.screenshot(os.path.join(os.environ['SCREENSHOTS'], name + '.png'))

    def recommend(self, page):
        page.click('button[name=pizza-please]')
        page.wait_for('document.querySelector("div#recommendations")')

    def log_in(self, page, name='default', password='12345678'):
        page.wait_for('document.querySelector("#csrf-token").value.length === 32')
        page.evaluate('document.querySelector("#username").value = %s' % json.dumps(name))
        page.evaluate('document.querySelector("#password").value = %s' % json.dumps(password))
        page.click('button[type=submit]')

    def body(self, page):
        return page.evaluate('document.body.innerText')

    def assert_fits(self, page):
        """Nothing sticks out to the right."""
        self.assertLessEqual(page.evaluate('document.documentElement.scrollWidth'), page.evaluate('innerWidth'))


class Main(PageTest):
    def test_what_is_on_it(self):
        self.assertNotIn('<h1', self.server.request('GET', '/').text)
        page = self.open()
        page.wait_for('document.querySelector("h1")')
        self.assertEqual(page.text('h1'), HEADING)
        self.assertEqual(page.text('h2'), 'QuickPizza has your back!')
        self.assertEqual(page.evaluate('document.title'), 'QuickPizza')
        body = self.body(page)
        for text in ('QuickPizza', 'Login', 'Advanced', 'Made with ❤️ by QuickPizza Labs.', 'GitHub',
                     "With just one click, you'll discover new and exciting pizza combinations that you never knew existed."):
            self.assertIn(text, body)
        self.assertRegex(body, r'WebSocket visitor ID: \d{6}\b')
        quotes = self.server.request('GET', '/api/quotes').json['quotes']
        page.wait_for('%s.some((q) => document.body.innerText.includes(q))' % json.dumps(quotes))
        self.assertEqual(page.evaluate('[...document.querySelectorAll("a")].find((a) => a.textContent === "Click here").pathname'), '/admin')
        self.assertEqual(page.evaluate('[...document.querySelectorAll("a")].find((a) => a.textContent === "Login").pathname'), '/login')
        self.assertEqual(page.console, [('warning', 'Grafana Faro is not configured.')])
        self.shoot(page, 'main')

    def test_the_button_is_found_by_xpath_and_by_name(self):
        page = self.open()
        find = ('document.evaluate(\'//button[. = "Pizza, Please!"]\', document, null, '
                'XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue')
        page.wait_for(find)
        self.assertEqual(page.evaluate(find + '.name'), 'pizza-please')

    def test_a_recommendation(self):
        page = self.open()
        page.wait_for('document.querySelector("button")')
        self.assertFalse(page.evaluate('!!document.querySelector("div#recommendations")'))
        self.recommend(page)
        self.assertEqual(page.text('h2#pizza-name'), 'Our recommendation:')
        text = page.evaluate('document.querySelector("div#recommendations").innerText')
        lines = page.evaluate('[...document.querySelectorAll("div#recommendations p")].map((p) => '
                              '[...p.childNodes].map((n) => n.nodeType === Node.TEXT_NODE ? n.data : n.outerHTML))')
        self.assertEqual(len(lines), 5)
        for pieces, start in zip(lines, ('Name: .', 'Dough: .', 'Ingredients:$', 'Tool: .', 'Calories per slice: \\d+$')):
            self.assertEqual(len(pieces), 1, pieces)  # getByText('Name: My Pizza') finds the paragraph
            self.assertRegex(pieces[0], '^' + start)
        name = re.search('Name: (.*)', text).group(1)
        line = self.server.wait_for_log(r'msg="New pizza recommendation" .*pizza="%s"' % re.escape(name)).group(0)
        visitor = re.search(r'visitor ID: (\d+)', self.body(page)).group(1)
        self.assertIn('user=' + visitor, line)
        self.shoot(page, 'recommendation')

    def test_what_the_request_says(self):
        page = self.open()
        page.wait_for('document.querySelector("button")')
        page.evaluate('window.sent = []; const real = fetch; window.fetch = (u, o) => { sent.push([u, o]); return real(u, o) }; 0')
        self.recommend(page)
        url, options = page.evaluate('sent.find(([u]) => u === "/api/pizza")')
        self.assertEqual(url, '/api/pizza')
        self.assertEqual(json.loads(options['body']),
                         {'maxCaloriesPerSlice': 1000, 'mustBeVegetarian': False, 'excludedIngredients': [],
                          'excludedTools': [], 'maxNumberOfToppings': 5, 'minNumberOfToppings': 2, 'customName': ''})
        self.assertRegex(options['headers']['Authorization'], '^Token [A-Za-z0-9]{16}$')

    def test_rating_needs_a_login(self):
        page = self.open()
        page.wait_for('document.querySelector("button")')
        self.recommend(page)
        self.assertEqual((page.text('button[name=rate-1]'), page.text('button[name=rate-5]')), ('No thanks', 'Love it!'))
        page.click('button[name=rate-5]')
        page.wait_for('document.querySelector("p#rate-result").textContent === "Please log in first."')

    def test_an_error_is_shown(self):
        page = self.open()
        page.wait_for('document.querySelector("button")')
        page.evaluate('window.fetch = async () => new Response(JSON.stringify({error: "no oven"}), {status: 503}); 0')
        page.click('button[name=pizza-please]')
        page.wait_for('document.querySelector("span#error-message")')
        self.assertEqual(page.text('span#error-message'), 'no oven')
        self.assertFalse(page.evaluate('!!document.querySelector("div#recommendations")'))

    def test_advanced_options(self):
        page = self.open()
        page.wait_for('document.querySelector("#advanced-toggle")')
        self.assertEqual(page.evaluate('document.querySelectorAll("#floating_filled").length'), 0)
        page.click('#advanced-toggle')
        self.assertEqual(page.evaluate('document.querySelectorAll("#floating_filled").length'), 3)
        labels = page.evaluate('[...document.querySelectorAll("#floating_filled")].map((i) => i.labels[0].innerText)')
        self.assertEqual(labels, ['Max Calories per Slice', 'Min Number of Toppings', 'Max Number of Toppings'])
        page.wait_for('document.querySelectorAll("#excluded-tools option").length === 3')
        page.evaluate('document.querySelectorAll("#excluded-tools option").forEach((o) => o.selected = o.value !== "Scissors")')
        page.click('#default-checkbox')
        page.click('input#pizza-name')
        page.type('My Own')
        self.shoot(page, 'advanced')
        self.recommend(page)
        text = page.evaluate('document.querySelector("div#recommendations").innerText')
        self.assertIn('Name: My Own', text)
        self.assertIn('Tool: Scissors', text)
        page.click('#advanced-toggle')
        self.assertFalse(page.evaluate('!!document.querySelector("#floating_filled")'))

    def test_others_nudge_until_there_is_a_pizza(self):
        first, second = self.open(), self.open()
        for page in (first, second):
            page.wait_for('document.querySelector("button")')
        for count in (1, 2):
            self.recommend(second)
            noun = 'recommendations' if count > 1 else 'recommendation'
            first.wait_for('document.body.innerText.includes("What are you waiting for? We have already given %d %s '
                           'since you opened the site!")' % (count, noun))
            second.evaluate('document.querySelector("#recommendations").remove()')
        self.shoot(first, 'nudge')
        self.recommend(first)
        self.assertNotIn('What are you waiting for?', self.body(first))
        self.assertNotIn('What are you waiting for?', self.body(second))

    def test_by_keyboard_alone(self):
        page = self.open()
        page.wait_for('document.querySelector("button")')
        self.tab_to(page, 'pizza-please')
        page.press('Enter')
        page.wait_for('document.querySelector("div#recommendations")')
        self.assertEqual(page.evaluate('document.activeElement.name'), 'pizza-please')
        self.tab_to(page, 'rate-5')
        page.press(' ', 'Space')
        page.wait_for('document.querySelector("p#rate-result").textContent !== ""')

    def tab_to(self, page, name):
        for _ in range(20):
            if page.evaluate('document.activeElement.name') == name:
                outline = page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
                self.assertEqual(outline, 'solid', 'the focus is not to be seen')
                return
            page.press('Tab')
        self.fail('Tab does not get to ' + name)

    def test_on_a_phone(self):
        page = self.open()
        page.resize(360, 740, True)
        page.wait_for('document.querySelector("#advanced-toggle")')
        page.click('#advanced-toggle')
        self.recommend(page)
        self.assert_fits(page)
        for path in ('/login', '/admin'):
            page.goto(self.base + path)
            page.wait_for('document.querySelector("button")')
            self.assert_fits(page)


class Login(PageTest):
    def test_the_form_is_in_the_html(self):
        for path in ('/login', '/login.html'):
            text = self.server.request('GET', path).text
            for words in ('QuickPizza User Login', 'id="csrf-token"', 'id="username"', 'id="password"',
                          'Username (hint: default)', 'Password (hint: 12345678)', 'Sign in', 'Back to main page'):
                self.assertIn(words, text)

    def test_login_rating_profile_logout(self):
        credentials = {'username': 'page-user', 'password': 'secret'}
        self.assertEqual(self.server.request('POST', '/api/users', credentials).status, 201)
        page = self.open('/login')
        self.log_in(page, **{'name': 'page-user', 'password': 'secret'})
        page.wait_for('document.querySelector("h2").textContent === "Your Pizza Ratings:"')
        page.wait_for('document.body.innerText.includes("No ratings yet")')

        page.goto(self.base + '/')
        page.wait_for('[...document.querySelectorAll("a")].some((a) => a.textContent === "Profile" && a.pathname === "/login")')
        self.recommend(page)
        self.server.wait_for_log(r'msg="New pizza recommendation" .*user=page-user')
        page.click('button[name=rate-5]')
        page.wait_for('document.querySelector("p#rate-result").textContent === "Rated!"')

        page.goto(self.base + '/login')
        page.wait_for(r'/Rating ID: \d+ \(stars=5, pizza_id=\d+\)/.test(document.body.innerText)')
        self.shoot(page, 'profile')
        self.click_named(page, 'Clear Ratings')
        page.wait_for('document.body.innerText.includes("No ratings yet")')
        self.click_named(page, 'Logout')
        page.wait_for('document.querySelector("#csrf-token")?.value.length === 32')
        self.assertEqual(page.text('h1'), 'QuickPizza User Login')
        self.assertNotIn('qp_user_token', page.evaluate('document.cookie'))

    def click_named(self, page, name):
        index = page.evaluate('[...document.querySelectorAll("button")].findIndex((b) => b.textContent === %s)' % json.dumps(name))
        self.assertGreaterEqual(index, 0)
        page.evaluate('document.querySelectorAll("button")[%d].id = "wanted"' % index)
        page.click('#wanted')
        page.evaluate('document.querySelector("#wanted")?.removeAttribute("id")')

    def test_a_wrong_password(self):
        page = self.open('/login')
        self.log_in(page, 'studio-user', 'wrong')
        page.wait_for('document.body.innerText.includes("Login failed: Unauthorized")')
        self.assertEqual(page.text('h1'), 'QuickPizza User Login')

    def test_the_default_user_cannot_clear(self):
        page = self.open('/login')
        self.log_in(page)
        page.wait_for('document.body.innerText.includes("Rating ID: 1 (stars=5, pizza_id=1)")')
        self.click_named(page, 'Clear Ratings')
        page.wait_for('document.body.innerText.includes("operation not permitted for default user")')

    def test_the_main_pages_of_strangers_know_no_profile(self):
        page = self.open('/login')
        page.evaluate('document.cookie = "qp_user_token=short; Path=/"')
        page.goto(self.base + '/')
        page.wait_for('document.querySelector("button")')
        self.assertIn('Login', self.body(page))


class Admin(PageTest):
    def test_history(self):
        for number in range(17):
            self.server.pizza({'customName': 'Pizza %d' % number, 'excludedTools': ['Scissors', 'Pizza cutter']})
        page = self.open('/admin')
        page.wait_for('document.querySelector("button")')
        self.assertEqual(page.text('h1'), 'QuickPizza Administration')
        values = page.evaluate('["username", "password"].map((id) => document.getElementById(id).value)')
        self.assertEqual(values, ['admin', 'admin'])
        page.evaluate('document.querySelector("#password").value = "wrong"')
        page.click('button[type=submit]')
        page.wait_for('document.body.innerText.includes("Login failed: Unauthorized")')
        page.evaluate('document.querySelector("#password").value = "admin"')
        page.click('button[type=submit]')
        page.wait_for('document.querySelector("h2")')
        self.assertEqual(page.text('h2'), 'Latest pizza recommendations')
        items = page.evaluate('[...document.querySelectorAll("li")].map((l) => l.textContent)')
        self.assertEqual(len(items), 15)
        self.assertRegex(items[0], r'^Pizza 16 \(tool=Knife, ingredients_number=\d\) \(newest\)$')
        self.assertRegex(items[1], r'^Pizza 15 \(tool=Knife, ingredients_number=\d\)$')
        self.shoot(page, 'admin')
        self.server.pizza({'customName': 'The Newest'})
        page.evaluate('[...document.querySelectorAll("button")].find((b) => b.textContent === "Refresh").click()')
        page.wait_for('document.querySelector("li").textContent.startsWith("The Newest (")')
        page.evaluate('[...document.querySelectorAll("button")].find((b) => b.textContent === "Logout").click()')
        page.wait_for('document.querySelector("#username")')
        self.assertNotIn('admin_token', page.evaluate('document.cookie'))
        self.assertIn('Back to main page', self.body(page))


class Legacy(PageTest):
    def test_the_controls_of_browser_php(self):
        page = self.open('/browser.php')
        self.assertRegex(page.text('#useragent-info-display'), '^Your UserAgent: Mozilla')
        self.assertEqual(page.text('#network-info-display'), 'Network Status: true')
        self.assertNotIn('?', page.text('#timezone-info-display') + page.text('#locale-info-display'))
        for text in ('Thanks for checking the box', "You've just unchecked the box"):
            page.click('#checkbox1')
            self.assertEqual(page.text('#checkbox-info-display'), text)
        for count in (1, 2):
            page.click('#counter-button')
            self.assertEqual(page.text('#counter-info-display'), 'Counter: %d' % count)
        page.click('#text1')
        self.assertEqual(page.text('#text-info-display'), 'focused on input text field')
        page.type('x')
        self.assertEqual(page.text('#text-info-display'), 'Thanks for filling in the input text field')
        page.evaluate('const n = document.querySelector("#numbers-options"); n.options[0].selected = n.options[2].selected = true; '
                      'n.dispatchEvent(new Event("change")); 0')
        self.assertEqual(page.text('#select-multiple-info-display').strip(), 'Selected: zero two')
        self.assertTrue(page.evaluate('document.querySelector("#input-text-disabled").disabled'))
        self.assertGreater(page.evaluate('document.querySelector("#off-screen").getBoundingClientRect().top'),
                           page.evaluate('innerHeight'))

    def test_the_login_of_my_messages(self):
        page = self.open('/my_messages.php')
        page.click('input[name=login]')
        page.type('admin')
        page.click('input[type=submit]')
        page.wait_for('document.querySelector("h2").textContent === "Welcome, admin!"')
        page.click('input[type=submit]')
        page.wait_for('document.querySelector("h2").textContent === "Login"')

    def test_bets(self):
        page = self.open('/flip_coin.php')
        page.click('input[value="Bet on tails!"]')
        page.wait_for('document.title === "Flip coin. Your choice is tails"')


if __name__ == '__main__':
    if find_program() is None:
        print('Chromium is not installed (Debian: apt-get install chromium)')
        sys.exit(77)
    unittest.main()
