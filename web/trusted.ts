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

/**
 * A module worker that runs the module at an address of our own. It starts from a blob, since a worker
 * that comes from a network address does not inherit a content security policy given in the page.
 */
export function startWorker(address: string): Worker {
  const source = new Blob([`import ${JSON.stringify(address)};`], { type: 'text/javascript' });
  const url = URL.createObjectURL(source);
  return new Worker(policy.createScriptURL(url), { type: 'module' });
}
