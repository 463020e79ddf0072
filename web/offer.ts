// The bar that offers a new version. The shell's own: Python, which may be old or broken, has no part in it.

/** Offer to reload; the user may put it off. What was offered before gives way. */
export function showOffer(text: string, accept: () => void): void {
  const said = document.createElement('span');
  said.textContent = text;
  document
    .getElementById('update')
    ?.replaceChildren(said, button('Reload', accept), button('Later', hideOffer));
}

export function hideOffer(): void {
  document.getElementById('update')?.replaceChildren();
}

function button(name: string, press: () => void): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = name;
  element.addEventListener('click', press);
  return element;
}
