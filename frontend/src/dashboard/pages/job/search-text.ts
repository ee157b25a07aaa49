/** Texts of the search language: the lists that this page leads to. */

import type { ExactValue } from '../../json/value.ts';
import { writeExact } from '../../json/write.ts';

const BARE = /^[\p{L}\p{N}_.@/+-]+$/u;
const NAME = /^[\p{L}\p{N}_-]+$/u;
/** A text that would be read as something else than a text. */
const LITERAL = /^(?:true|false|null|none|OR|AND|NOT|-?[0-9].*|-.*)$/i;

function quoted(text: string): string {
  return JSON.stringify(text);
}

function bare(text: string): string {
  return BARE.test(text) && !LITERAL.test(text) ? text : quoted(text);
}

/** `queue:mail`; quoted where it has to be. */
export function keyText(key: string, value: string): string {
  return `${key}:${bare(value)}`;
}

/** `payload.customer.id=cus_1042`; an index stands for any item. */
export function payloadText(path: readonly (string | number)[], value: ExactValue): string {
  const segments = path.map((each) => {
    if (typeof each === 'number') return '[]';
    return `.${NAME.test(each) ? each : quoted(each)}`;
  });
  const text = typeof value === 'string' ? bare(value) : writeExact(value);
  return `payload${segments.join('')}=${text}`;
}
