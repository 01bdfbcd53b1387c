// ---- 43 screenshots
// What K6_BROWSER_SCREENSHOTS_OUTPUT says: url=…,basePath=…,header.name=…; null without it.
function screenshotsOutput() {
  const v = native.env('K6_BROWSER_SCREENSHOTS_OUTPUT');
  if (!v) return null;
  const fail = (why) => { throw new Error(`parsing K6_BROWSER_SCREENSHOTS_OUTPUT: ${why}`); };
  const out = { url: '', basePath: '', headers: [] };
  for (const item of v.split(',')) {
    const kv = item.split('=');
    if (kv.length !== 2) fail(`format of value must be k=v, received ${quote(item)}`);
    const [key, value] = kv;
    if (key.includes('header.')) {
      const name = key.split('.');
      if (name.length !== 2) fail(`format of header must be header.k=v, received ${quote(item)}`);
      if (!name[1]) fail(`empty header key, received ${quote(item)}`);
      out.headers.push(name[1], value);
    } else if (key === 'url') out.url = value;
    else if (key === 'basePath') out.basePath = value;
    else fail(`invalid option ${quote(key)}`);
  }
  if (!out.url) fail('missing required url');
  return out;
}
// A signed URL is asked for, and the picture posted to it as a form.
function* upload(output, path, bytes) {
  const name = (output.basePath ? `${output.basePath}/${path}` : path).split('/').filter((x, i) => x !== '.' && (x !== '' || i === 0)).join('/');
  const check = (r) => { if (r.status < 200 || r.status > 299) throw new Error(`server returned ${r.status} (${r.statusText.toLowerCase()})`); };
  const step = (what, f) => {
    try {
      return f();
    } catch (e) {
      throw new Error(`${what}: ${e.message}`);
    }
  };
  const signed = step('requesting presigned url', () => {
    const body = JSON.stringify({ service: 'aws_s3', operation: 'upload_post', files: [{ name }] });
    const r = native.request('POST', output.url, output.headers, body);
    check(r);
    const { urls } = JSON.parse(r.body);
    if (!urls || !urls.length) throw new Error('missing presigned url in response body');
    return urls[0];
  });
  step('uploading', () => check(native.upload(signed.method, signed.pre_signed_url, Object.entries(signed.form_fields || {}).flat(),
    signed.name, bytes)));
}
function* capture(page, o, box) {
  const s = page.session;
  const path = o.path === undefined || o.path === null ? '' : String(o.path);
  const type = o.type || (/\.jpe?g$/i.test(path) ? 'jpeg' : 'png');
  const params = { format: type === 'jpeg' ? 'jpeg' : 'png', captureBeyondViewport: !!o.fullPage, optimizeForSpeed: false };
  if (params.format === 'jpeg') params.quality = o.quality === undefined ? 100 : Number(o.quality);
  const m = yield s.send('Page.getLayoutMetrics');
  const view = m.cssVisualViewport;
  if (box) {
    params.clip = { x: box.x + view.pageX, y: box.y + view.pageY, width: box.width, height: box.height, scale: 1 };
    params.captureBeyondViewport = true;
  } else {
    const all = o.fullPage ? { x: 0, y: 0, width: m.cssContentSize.width, height: m.cssContentSize.height }
      : { x: view.pageX, y: view.pageY, width: view.clientWidth, height: view.clientHeight };
    if (o.clip) params.clip = { ...trimClip(o.clip, o.fullPage ? all : { ...all, x: 0, y: 0 }), scale: 1 };
    else if (o.fullPage) params.clip = { ...all, scale: 1 };
    if (params.clip && !o.fullPage) {
      params.clip.x += view.pageX;
      params.clip.y += view.pageY;
    }
  }
  const transparent = o.omitBackground && params.format === 'png';
  if (transparent) yield s.send('Emulation.setDefaultBackgroundColorOverride', { color: { r: 0, g: 0, b: 0, a: 0 } });
  const { data } = yield s.send('Page.captureScreenshot', params);
  if (transparent) yield s.send('Emulation.setDefaultBackgroundColorOverride');
  const bytes = native.decode(data);
  if (path) {
    try {
      const output = screenshotsOutput();
      if (output) yield* upload(output, path, bytes);
      else native.writeFile(path, bytes);
    } catch (e) {
      throw new Error(`persisting screenshot: ${e.message}`);
    }
  }
  return bytes;
}
function trimClip(clip, all) {
  const x = Math.max(all.x, Math.min(Number(clip.x), all.x + all.width)), y = Math.max(all.y, Math.min(Number(clip.y), all.y + all.height));
  const right = Math.max(all.x, Math.min(Number(clip.x) + Number(clip.width), all.x + all.width));
  const bottom = Math.max(all.y, Math.min(Number(clip.y) + Number(clip.height), all.y + all.height));
  if (!(right > x) || !(bottom > y)) throw new Error('trimming clip to size: clip area is either empty or outside the viewport');
  return { x, y, width: right - x, height: bottom - y };
}
