// The one script that every browser can read, and that runs before anything is painted: sets the
// colours that were chosen, so that the page does not flash in the others, tells browsers that are too
// old for the page what to do, and calls the gateway, which answers while the browser reads the rest.
// Plain old JavaScript on purpose.
(function () {
  var chosen = null;
  try {
    chosen = JSON.parse(localStorage.getItem('pricegate.theme'));
  } catch (ignored) {}
  var dark = chosen
    ? chosen === 'dark'
    : !!(window.matchMedia && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-theme', dark ? 'dark' : 'light');

  // The newest things that the page needs; who has these has the rest.
  var fits = 'noModule' in document.createElement('script') && [].at && window.IntersectionObserver &&
    window.AbortSignal && AbortSignal.timeout;
  if (!fits) {
    document.addEventListener('DOMContentLoaded', function () {
      var old = document.getElementById('too-old');
      old.removeAttribute('hidden');
      document.body.setAttribute('data-too-old', '');
    });
    return;
  }
  // The line to the gateway: intake.js takes it over, with what it has said by then.
  var url = new URL('ws', document.baseURI);
  url.protocol = url.protocol.replace('http', 'ws');
  var early = { socket: new WebSocket(url), heard: [] };
  early.socket.onmessage = function (event) {
    early.heard.push(event);
  };
  window.early = early;
})();
