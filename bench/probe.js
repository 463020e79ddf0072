// Put into every page before it loads. Times are taken in the page itself, from what the user does to the change of
// the document that shows it: no message to or from the program that drives the browser is in them.
(() => {
  const tasks = [];
  let mostNodes = 0;
  let counting = false;

  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) tasks.push({ startTime, duration });
  }).observe({ type: 'longtask', buffered: true });

  function countNodes() {
    const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
    let count = 1; // the document itself
    while (walker.nextNode()) count += 1;
    mostNodes = Math.max(mostNodes, count);
  }

  // Resolves with the time at which `isShown` first held after a change of the document.
  function until(isShown, what, patience = 60_000) {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!isShown()) return;
        stop();
        resolve(performance.now());
      };
      const observer = new MutationObserver(check);
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`not shown in ${patience} ms: ${what}`));
      }, patience);
      const stop = () => {
        observer.disconnect();
        clearTimeout(timer);
      };
      observer.observe(document.documentElement, {
        subtree: true,
        childList: true,
        characterData: true,
        attributes: true,
      });
      check();
    });
  }

  const find = (selector) => document.querySelector(selector);
  const isDetail = (event) => find('#detail h2')?.textContent === `Event ${event}`;
  const isTranscript = (position) =>
    find('#position')?.getAttribute('aria-valuenow') === String(position) &&
    find('#log article') !== null &&
    find('#log-reading') === null;
  const isRead = () => find('#position') !== null && find('.reading') === null; // no session is open without a slider
  const hasRow = (position) => find(`#event-${position - 1}[aria-current=true]:not(.unread)`) !== null;

  const settle = (pause) => new Promise((resolve) => setTimeout(resolve, pause));

  globalThis.bench = {
    settle,
    until,

    async close() {
      location.hash = '#/';
      await until(() => document.documentElement.dataset.view !== 'session', 'the start page');
      await settle(250);
    },

    async open(hash, events) {
      const start = performance.now();
      location.hash = hash;
      const shown = await until(() => isDetail(events) && isTranscript(events), hash);
      return shown - start;
    },

    // From a change of the address until all events are read.
    async read(hash) {
      const start = performance.now();
      location.hash = hash;
      return (await until(isRead, `${hash} read`, 600_000)) - start;
    },

    isReading: () => find('#position') !== null && find('.reading') !== null,

    // Both times count from the input event: `transcript` for the state at the position, `all` with the
    // event's JSON and the rows of the list as well.
    async seek(position) {
      const slider = find('#position');
      const start = performance.now();
      slider.value = String(position);
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      const transcript = until(() => isTranscript(position), `transcript at ${position}`);
      const detail = until(() => isDetail(position) && isTranscript(position), `event ${position}`);
      const rows = until(() => hasRow(position), `row at ${position}`);
      const times = await Promise.all([transcript, detail, rows]);
      return times.map((time) => time - start);
    },

    async importing(text) {
      const start = await new Promise((resolve) => {
        document.addEventListener('change', () => resolve(performance.now()), { capture: true, once: true });
      });
      const end = await until(() => find('#status')?.textContent.startsWith(text), text, 600_000);
      return end - start;
    },

    async play(speed, duration) {
      const select = find('#speed');
      select.value = speed;
      select.dispatchEvent(new Event('change', { bubbles: true }));
      const from = Number(find('#position').getAttribute('aria-valuenow'));
      find('#play').click();
      await settle(duration);
      find('#play').click();
      await settle(300);
      return Number(find('#position').getAttribute('aria-valuenow')) - from;
    },

    // As fast as a wheel: some screens at each frame, now and then a far jump.
    async scroll(steps, selector = '#events-scroll') {
      const box = find(selector);
      for (let step = 0; step < steps; step += 1) {
        await new Promise((resolve) => requestAnimationFrame(resolve));
        if (step % 40 === 0) box.scrollTop = ((step * 7919) % 1000) / 1000 * box.scrollHeight;
        else box.scrollTop += 900;
      }
      await settle(300);
    },

    watchNodes() {
      countNodes();
      if (counting) return;
      counting = true;
      let isDue = false;
      new MutationObserver(() => {
        if (isDue) return;
        isDue = true;
        setTimeout(() => { // in a task of its own, so as not to lengthen the one that is measured
          isDue = false;
          countNodes();
        }, 0);
      }).observe(document.documentElement, { subtree: true, childList: true });
    },

    mostNodes: () => mostNodes,
    async longTasks() {
      await settle(100);
      return tasks.splice(0);
    },
  };
})();
