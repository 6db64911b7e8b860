// What can be read off a page once it stands: for tests/browser/looking.py, which says what is wrong with it.
() => {
  const root = document.documentElement;
  const all = [...document.querySelectorAll('*')];
  const named = (element) =>
    element.tagName.toLowerCase() + (element.id ? '#' + element.id : '') +
    (typeof element.className === 'string' && element.className ? '.' + element.className.trim().split(/\s+/).join('.') : '');
  const addresses = (element) =>
    ['href', 'src', 'action', 'formaction', 'data', 'srcdoc', 'xlink:href']
      .filter((name) => element.hasAttribute(name))
      .map((name) => element.getAttribute(name));
  const harmless = (address) => {
    const scheme = /^\s*([a-z][a-z0-9+.-]*):/i.exec(address.replace(/[\u0000-\u0020]/g, ''));
    return !scheme || ['http', 'https', 'mailto'].includes(scheme[1].toLowerCase());
  };
  // Not `link.href`: in a picture (SVG) that is an object.
  const target = (link) => {
    const address = link.getAttribute('href');
    return URL.canParse(address, document.baseURI) ? new URL(address, document.baseURI).href : address;
  };
  const hash = (link) => decodeURIComponent(link.getAttribute('href').slice(1));
  return {
    title: document.title.trim(),
    lang: root.lang,
    headings: document.querySelectorAll('h1').length,
    width: root.scrollWidth,
    window: root.clientWidth,
    // What reaches beyond the window and is not inside something that scrolls.
    wide: all
      .filter((element) => element.getBoundingClientRect().right > root.clientWidth + 1)
      .filter((element) => !element.closest('.skip, .wide'))
      .map(named)
      .slice(0, 5),
    links: [...document.querySelectorAll('a[href], area[href], link[rel=alternate][href]')].map(target),
    forms: [...document.querySelectorAll('form')].filter((form) => form.method === 'get').map((form) => form.action),
    astray: [...document.querySelectorAll('a[href^="#"]')]
      .filter((link) => hash(link) && !document.getElementById(hash(link)))
      .map((link) => link.getAttribute('href')),
    repeated: [...new Set(all.map((e) => e.id).filter((id, n, ids) => id && ids.indexOf(id) !== n))],
    // Whatever could run: the pages of this service have no such thing but script files of its own.
    acting: all
      .filter(
        (element) =>
          ['IFRAME', 'OBJECT', 'EMBED', 'BASE', 'FRAME', 'MARQUEE'].includes(element.tagName) ||
          (element.tagName === 'SCRIPT' && !element.getAttribute('src')?.startsWith('/static/')) ||
          (element.tagName === 'META' && element.httpEquiv) ||
          (element.tagName === 'FORM' && location.origin !== new URL(element.action, location).origin) ||
          element.getAttributeNames().some((name) => name.startsWith('on')) ||
          !addresses(element).every(harmless),
      )
      .map((element) => element.outerHTML.slice(0, 200)),
  };
}
