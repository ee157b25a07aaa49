// Gives the page's nonce to the style elements that the editor and its menus make as they run: the
// Content-Security-Policy lets no other in. Has to be imported before whatever makes them.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
const createElement = Document.prototype.createElement;

Document.prototype.createElement = function (this: Document, ...given: [string]) {
  const element = createElement.apply(this, given);
  if (element instanceof HTMLStyleElement) element.nonce = nonce;
  return element;
} as typeof createElement;
