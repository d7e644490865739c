// Before anything is painted: the colours that were chosen on the dashboard, else those of the system.
(function () {
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = null;
  try {
    chosen = JSON.parse(localStorage.getItem('pricegate.theme'));
  } catch {
    // Nothing is kept here, or nothing that can be read.
  }
  const set = () => {
    document.documentElement.dataset.theme = (chosen ? chosen === 'dark' : system.matches) ? 'dark' : 'light';
  };
  system.addEventListener('change', set);
  set();
})();
