#!/usr/bin/env python3
"""Writes the dashboards in dashboards/: one for the gauges that --out experimental-prometheus-rw makes of trends, one
for its native histograms (K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true). Import a file in Grafana, or provision the
folder. With --check it only says whether the files are what it would write.
"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = {'type': 'prometheus', 'uid': '${datasource}'}

RUN = 'testid=~"$testid"'
SCENARIO = RUN + ', scenario=~"$scenario"'
URL = SCENARIO + ', name=~"$url"'

# ---------------------------------------------------------------- the two forms of trends


class Gauges:
    file = 'k6-prometheus.json'
    uid = 'ccbb2351-2ae2-462f-ae0e-f2c893ad1028'
    title = 'k6 Prometheus'
    about = 'Trends as gauges, a statistic each: K6_PROMETHEUS_RW_TREND_STATS.'
    label = '$stat'
    variable = {
        'name': 'stat', 'label': 'Statistic', 'type': 'query', 'datasource': SOURCE, 'refresh': 2, 'sort': 1,
        'query': {'query': 'metrics(k6_http_req_duration_)', 'refId': 'stat'},
        'definition': 'metrics(k6_http_req_duration_)',
        'regex': '/^k6_http_req_duration_(min|max|avg|med|p\\d+)$/',
        'current': {'selected': True, 'text': 'p99', 'value': 'p99'}, 'options': [], 'hide': 0,
        'includeAll': False, 'multi': False, 'skipUrlSync': False,
        'description': 'Which of K6_PROMETHEUS_RW_TREND_STATS the panels show.'}

    @staticmethod
    def trend(metric, selector, by=''):
        return 'max%s (k6_%s_$stat{%s})' % (by and ' by (%s)' % by, metric, selector)

    @staticmethod
    def trend_at_end(metric, selector, by=''):
        return 'max%s (last_over_time(k6_%s_$stat{%s}[$__range]))' % (by and ' by (%s)' % by, metric, selector)


class Histograms:
    file = 'k6-prometheus-native-histograms.json'
    uid = 'kiln-k6-prometheus-native'
    title = 'k6 Prometheus (native histograms)'
    about = 'Trends as native histograms: K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true, and Prometheus with ' \
            '--enable-feature=native-histograms.'
    label = 'quantile $quantile'
    variable = {
        'name': 'quantile', 'label': 'Quantile', 'type': 'custom', 'query': '0.5,0.9,0.95,0.99,0.999',
        'options': [{'selected': q == '0.99', 'text': q, 'value': q} for q in ('0.5', '0.9', '0.95', '0.99', '0.999')],
        'current': {'selected': True, 'text': '0.99', 'value': '0.99'}, 'hide': 0, 'includeAll': False, 'multi': False,
        'skipUrlSync': False, 'description': 'The quantile that the panels show.'}

    @staticmethod
    def trend(metric, selector, by=''):
        return 'histogram_quantile($quantile, sum%s (rate(k6_%s_seconds{%s}[1m])))' % (by and ' by (%s)' % by, metric, selector)

    @staticmethod
    def trend_at_end(metric, selector, by=''):
        # Prometheus 2's last_over_time knows no histograms, and increase needs two samples.
        by = by and ' by (%s)' % by
        return ('histogram_quantile($quantile, sum%s (increase(k6_%s_seconds{%s}[$__range]))) or '
                'histogram_quantile($quantile, sum%s (k6_%s_seconds{%s}))' % (by, metric, selector, by, metric, selector))


# ---------------------------------------------------------------- expressions

def total(metric, selector, by=''):
    return 'sum%s (last_over_time(k6_%s_total{%s}[$__range]))' % (by and ' by (%s)' % by, metric, selector)


def per_second(metric, selector, by=''):
    return 'sum%s (irate(k6_%s_total{%s}[1m]))' % (by and ' by (%s)' % by, metric, selector)


def share(rate, count, selector, by=''):
    """Of a rate metric over many series: each counts as often as its requests do. Their labels are the same."""
    by = by and ' by (%s)' % by
    return ('sum%s (last_over_time(k6_%s_rate{%s}[$__range]) * last_over_time(k6_%s_total{%s}[$__range])) / '
            'sum%s (last_over_time(k6_%s_total{%s}[$__range]))' % (by, rate, selector, count, selector, by, count, selector))


# ---------------------------------------------------------------- panels

def target(index, expression, legend, **more):
    return {'refId': chr(ord('A') + index), 'datasource': SOURCE, 'expr': expression, 'legendFormat': legend,
            'editorMode': 'code', 'range': True, 'instant': False, **more}


def field_config(unit, **more):
    return {'defaults': {'unit': unit, 'min': 0, 'color': {'mode': 'palette-classic'}, **more}, 'overrides': []}


def stat(title, unit, expression, thresholds=None, **more):
    steps = [{'color': 'green', 'value': None}] + [{'color': c, 'value': v} for v, c in thresholds or ()]
    config = field_config(unit, thresholds={'mode': 'absolute', 'steps': steps}, **more)
    config['defaults']['color'] = {'mode': 'thresholds' if thresholds else 'fixed', 'fixedColor': 'blue'}
    return {'type': 'stat', 'title': title, 'datasource': SOURCE, 'fieldConfig': config, 'size': (3, 4),
            'options': {'colorMode': 'value', 'graphMode': 'none', 'reduceOptions': {'calcs': ['lastNotNull'], 'fields': '',
                                                                                    'values': False}},
            'targets': [target(0, expression, '', range=False, instant=True)]}


def graph(title, unit, *targets, size=(12, 8), overrides=(), description=''):
    config = field_config(unit, custom={'drawStyle': 'line', 'lineWidth': 1, 'fillOpacity': 10, 'showPoints': 'auto',
                                        'spanNulls': 15000, 'axisSoftMin': 0})
    config['overrides'] = [{'matcher': {'id': 'byName', 'options': name},
                            'properties': [{'id': 'unit', 'value': u}, {'id': 'custom.axisPlacement', 'value': 'right'}]}
                           for name, u in overrides]
    return {'type': 'timeseries', 'title': title, 'description': description, 'datasource': SOURCE, 'fieldConfig': config,
            'size': size,
            'options': {'legend': {'displayMode': 'table', 'placement': 'bottom', 'calcs': ['mean', 'max', 'lastNotNull']},
                        'tooltip': {'mode': 'multi', 'sort': 'desc'}},
            'targets': [target(i, expression, legend) for i, (expression, legend) in enumerate(targets)]}


def table(title, by, columns, size=(24, 8)):
    """columns: (name, unit, expression). A row for each value of the labels."""
    names = {'Value #%s' % chr(ord('A') + i): name for i, (name, _, _) in enumerate(columns)}
    config = {'defaults': {'custom': {'align': 'auto', 'filterable': True}}, 'overrides': [
        {'matcher': {'id': 'byName', 'options': name}, 'properties': [{'id': 'unit', 'value': unit}]}
        for name, unit, _ in columns]}
    return {'type': 'table', 'title': title, 'datasource': SOURCE, 'fieldConfig': config, 'size': size,
            'options': {'showHeader': True, 'sortBy': [{'displayName': columns[0][0], 'desc': True}]},
            'targets': [target(i, expression, '', range=False, instant=True, format='table')
                        for i, (_, _, expression) in enumerate(columns)],
            'transformations': [{'id': 'merge', 'options': {}},
                                {'id': 'organize', 'options': {'excludeByName': {'Time': True}, 'renameByName': names,
                                                               'indexByName': {label: i for i, label in enumerate(by)}}}]}


def heatmap(title, unit, expression):
    return {'type': 'heatmap', 'title': title, 'datasource': SOURCE, 'size': (12, 8),
            'fieldConfig': {'defaults': {}, 'overrides': []},
            'options': {'calculate': False, 'yAxis': {'unit': unit}, 'color': {'mode': 'scheme', 'scheme': 'Oranges', 'steps': 64},
                        'cellGap': 1, 'tooltip': {'show': True, 'yHistogram': True}},
            'targets': [target(0, expression, '', format='heatmap')]}


def rows(form):
    parts = (('blocked', 'blocked'), ('connecting', 'connecting'), ('TLS handshake', 'tls_handshaking'), ('sending', 'sending'),
             ('waiting', 'waiting'), ('receiving', 'receiving'))
    failed_rate = share('http_req_failed', 'http_reqs', URL)
    overview = [
        stat('HTTP requests', 'short', total('http_reqs', URL), decimals=0),
        stat('Peak requests/s', 'reqps', 'max_over_time(sum (irate(k6_http_reqs_total{%s}[1m]))[$__range:5s])' % URL),
        stat('Failed requests', 'percentunit', failed_rate, thresholds=((0.01, 'orange'), (0.05, 'red'))),
        stat('Request duration (%s)' % form.label, 's', form.trend_at_end('http_req_duration', URL)),
        stat('Checks passed', 'percentunit', 'avg (last_over_time(k6_checks_rate{%s}[$__range]))' % SCENARIO),
        stat('Iterations', 'short', total('iterations', SCENARIO), decimals=0),
        stat('Data received', 'decbytes', total('data_received', SCENARIO)),
        stat('Peak VUs', 'short', 'max_over_time(sum (k6_vus{%s})[$__range:5s])' % RUN, decimals=0),
        graph('Performance overview', 'reqps',
              (per_second('http_reqs', URL), 'requests/s'),
              ('%s or vector(0)' % per_second('http_reqs', URL + ', expected_response="false"'), 'failed requests/s'),
              ('sum (k6_vus{%s})' % RUN, 'VUs'),
              (form.trend('http_req_duration', URL), 'request duration (%s)' % form.label),
              size=(24, 9), overrides=(('request duration (%s)' % form.label, 's'), ('VUs', 'short')))]
    http = [
        graph('Request duration', 's', (form.trend('http_req_duration', URL), form.label),
              (form.trend('http_req_duration', URL + ', expected_response="true"'), form.label + ', expected responses')),
        graph('Parts of a request', 's', *[(form.trend('http_req_' + name, URL), words) for words, name in parts]),
        graph('Requests by URL', 'reqps', (per_second('http_reqs', URL, 'name, method, status'), '{{method}} {{name}} {{status}}')),
        graph('Request duration by URL', 's', (form.trend('http_req_duration', URL, 'name, method'), '{{method}} {{name}}')),
        table('Requests by URL', ('name', 'method', 'status'), (
            ('requests', 'short', total('http_reqs', URL, 'name, method, status')),
            ('failed', 'percentunit', share('http_req_failed', 'http_reqs', URL, 'name, method, status')),
            ('duration', 's', form.trend_at_end('http_req_duration', URL, 'name, method, status')),
            ('waiting', 's', form.trend_at_end('http_req_waiting', URL, 'name, method, status'))))]
    if form is Histograms:
        http.insert(2, heatmap('Request durations', 's', 'sum (increase(k6_http_req_duration_seconds{%s}[1m]))' % URL))
        http.insert(3, graph('Quantiles of the request duration', 's', *[
            ('histogram_quantile(%s, sum (rate(k6_http_req_duration_seconds{%s}[1m])))' % (q, URL), 'p' + q[2:])
            for q in ('0.50', '0.90', '0.95', '0.99')]))
    execution = [
        graph('Iterations', 'ops', (per_second('iterations', SCENARIO, 'scenario'), '{{scenario}}'),
              ('%s or vector(0)' % per_second('dropped_iterations', SCENARIO), 'dropped')),
        graph('Iteration duration', 's', (form.trend('iteration_duration', SCENARIO, 'scenario'), '{{scenario}}')),
        graph('VUs', 'short', ('sum (k6_vus{%s})' % RUN, 'active'), ('sum (k6_vus_max{%s})' % RUN, 'initialised')),
        graph('Network', 'Bps', (per_second('data_received', SCENARIO), 'received'), (per_second('data_sent', SCENARIO), 'sent'))]
    checks = [
        table('Checks', ('check', 'group'), (
            ('passed', 'percentunit', 'avg by (check, group) (last_over_time(k6_checks_rate{%s}[$__range]))' % SCENARIO),),
              size=(12, 8)),
        graph('Group duration', 's', (form.trend('group_duration', SCENARIO, 'group'), '{{group}}'))]
    sockets = [
        graph('WebSocket sessions and messages', 'ops', (per_second('ws_sessions', SCENARIO), 'sessions'),
              (per_second('ws_msgs_sent', SCENARIO), 'messages sent'),
              ('%s or vector(0)' % per_second('ws_msgs_received', SCENARIO), 'messages received')),
        graph('WebSocket times', 's', (form.trend('ws_connecting', SCENARIO), 'connecting'),
              (form.trend('ws_session_duration', SCENARIO), 'session'))]
    return (('Overview', overview), ('HTTP', http), ('Execution', execution), ('Checks and groups', checks),
            ('WebSockets', sockets))


def lay_out(form):
    panels, y = [], 0
    for title, members in rows(form):
        panels.append({'type': 'row', 'title': title, 'collapsed': False, 'panels': [],
                       'gridPos': {'x': 0, 'y': y, 'w': 24, 'h': 1}})
        x, y, height = 0, y + 1, 0
        for panel in members:
            width, h = panel.pop('size')
            if x + width > 24:
                x, y, height = 0, y + height, 0
            panels.append({**panel, 'gridPos': {'x': x, 'y': y, 'w': width, 'h': h}})
            x, height = x + width, max(height, h)
        y += height
    for i, panel in enumerate(panels):
        panel['id'] = i + 1
    return panels


# ---------------------------------------------------------------- dashboards

def selector(name, label, query, description):
    return {'name': name, 'label': label, 'type': 'query', 'datasource': SOURCE, 'refresh': 2, 'sort': 1, 'regex': '',
            'query': {'query': query, 'refId': name}, 'definition': query, 'includeAll': True, 'multi': True,
            'allValue': '.*', 'current': {'selected': True, 'text': ['All'], 'value': ['$__all']}, 'options': [], 'hide': 0,
            'skipUrlSync': False, 'description': description}


def dashboard(form):
    variables = [
        {'name': 'datasource', 'label': 'Prometheus', 'type': 'datasource', 'query': 'prometheus', 'refresh': 1, 'regex': '',
         'current': {}, 'options': [], 'hide': 0, 'includeAll': False, 'multi': False, 'skipUrlSync': False},
        selector('testid', 'Test ID', 'label_values(k6_iterations_total, testid)', 'Of the run: --tag testid=…'),
        selector('scenario', 'Scenario', 'label_values(k6_iterations_total{%s}, scenario)' % RUN, ''),
        selector('url', 'URL', 'label_values(k6_http_reqs_total{%s}, name)' % SCENARIO, 'The tag name, the URL unless set.'),
        form.variable]
    return {'uid': form.uid, 'title': form.title, 'description': 'Results of kiln and k6 in Prometheus. ' + form.about,
            'tags': ['k6', 'kiln', 'prometheus'], 'schemaVersion': 38, 'version': 1, 'editable': True, 'graphTooltip': 1,
            'refresh': '5s', 'time': {'from': 'now-15m', 'to': 'now'}, 'timezone': 'browser', 'fiscalYearStartMonth': 0,
            'liveNow': False, 'links': [], 'annotations': {'list': []}, 'templating': {'list': variables},
            'panels': lay_out(form)}


def main():
    is_check, stale = '--check' in sys.argv[1:], []
    for form in (Gauges, Histograms):
        path = os.path.join(HERE, 'dashboards', form.file)
        text = json.dumps(dashboard(form), indent=2, ensure_ascii=False) + '\n'
        if is_check:
            with open(path, encoding='utf-8') as f:
                if f.read() != text:
                    stale.append(path)
            continue
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
    for path in stale:
        print('%s is not what make_dashboards.py writes' % path)
    return 1 if stale else 0


if __name__ == '__main__':
    sys.exit(main())
