/* Web statistics without cookies; see the manual */
(function (w, d, n) {
  var me = d.currentScript, site = me && me.getAttribute('data-site'), no = function () {};
  if (!site || w.wise || !n.sendBeacon || n.doNotTrack == 1 || n.globalPrivacyControl) return void (w.wise = w.wise || no);
  var to = new URL('/w/hit/', me.src).href, here = w.location, past = w.history, kept = '', page, path, seen, since, token;
  function random() {
    return Array.from(w.crypto.getRandomValues(new Uint8Array(10)), function (b) { return (b + 256).toString(16).slice(1); }).join('');
  }
  function visit(renew) {
    var day = new Date().toISOString().slice(0, 10), box = { setItem: no, getItem: no };
    try { if (me.getAttribute('data-storage') != 'none') box = w.sessionStorage; } catch (e) { no(e); }
    kept = box.getItem('wise') || kept;
    if (renew || kept.slice(0, 10) != day) kept = day + random();
    box.setItem('wise', kept);
    return kept.slice(10);
  }
  function send(what, more) {
    n.sendBeacon(to, JSON.stringify(Object.assign({ s: site, v: visit(), i: random(), t: what, p: here.pathname }, more)));
  }
  function whole(x) { return x == null || x === '' ? undefined : Math.round(x) || 0; }
  function leave() {
    if (since) seen += Date.now() - since;
    since = 0;
    if (seen >= 1000) send('time', { i: page, d: Math.round(seen / 1000) });
  }
  function enter() {
    if (here.pathname == path) return;
    leave();
    path = here.pathname; page = random(); seen = 0; since = d.hidden ? 0 : Date.now();
    send('view', { i: page });
    var e = d.querySelector('[data-wise-results]');
    if (!e) return;
    w.wise('search', { results: e.dataset.wiseResults, query: e.dataset.wiseQuery });
    e.removeAttribute('data-wise-results');
  }
  function on(at, what, act) { at.addEventListener(what, act, true); }
  w.wise = function (what, more) {
    more = more || {};
    if (what == 'identify') send(what, { c: more });
    else if (/^(page|logout)$/.test(what)) {
      if (what == 'logout') { leave(); seen = 0; visit(1); }
      path = 0; enter();
    } else if (/^(search|form|login|app)$/.test(what)) {
      send(what, { n: more.name, r: whole(more.results), q: more.query, d: whole(more.seconds) });
    }
  };
  ['pushState', 'replaceState'].forEach(function (name) {
    var was = past[name];
    past[name] = function () { was.apply(past, arguments); setTimeout(enter); };
  });
  on(w, 'popstate', enter);
  on(w, 'pagehide', leave);
  on(d, 'visibilitychange', function () { if (d.hidden) leave(); else since = since || Date.now(); });
  on(d, 'submit', function (e) {
    var get = e.target.getAttribute.bind(e.target);
    if (/post/i.test(get('method'))) w.wise('form', { name: get('data-wise-name') || get('name') || get('id') || '' });
  });
  enter();
  token = /[#&]wise=([\w:.-]+)/.exec(here.hash);
  if (token) past.replaceState(past.state, '', here.pathname + here.search);
  token = token ? token[1] : me.getAttribute('data-token');
  if (token) w.wise('identify', token);
})(window, document, navigator);
