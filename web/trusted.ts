// The one place that vouches for text as HTML or as a script's address, so that a page which demands
// Trusted Types (https://w3c.github.io/trusted-types/) can name a single policy, "pyapp".

interface Policy {
  createHTML(text: string): string;
  createScriptURL(text: string): string;
}

interface Factory {
  createPolicy(name: string, rules: Policy): Policy;
}

const rules: Policy = { createHTML: (text) => text, createScriptURL: (text) => text };
const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
const policy = factory?.createPolicy('pyapp', rules) ?? rules;

/** The nodes of HTML that Python rendered, and so escaped; scripts in it never run. */
export function parse(html: string): DocumentFragment {
  const template = document.createElement('template');
  template.innerHTML = policy.createHTML(html);
  return template.content;
}

/** Registers the service worker at an address of our own. Its script is never taken from the HTTP cache. */
export function registerServiceWorker(address: string): Promise<ServiceWorkerRegistration> {
  const url = policy.createScriptURL(address);
  return navigator.serviceWorker.register(url, { updateViaCache: 'none' });
}

/**
 * A module worker that runs the module at an address of our own. It starts from a blob, since a worker
 * that comes from a network address does not inherit a content security policy given in the page. The
 * import is a dynamic one, which that policy's script-src judges. Until the module runs, messages are lost:
 * it must say first that it listens.
 */
export function startWorker(address: string): Worker {
  const code = `import(${JSON.stringify(address)}).catch((error) => setTimeout(() => { throw error; }));`;
  const source = new Blob([code], { type: 'text/javascript' });
  const url = URL.createObjectURL(source);
  return new Worker(policy.createScriptURL(url), { type: 'module' });
}
