// Copies a text, and says so.
import { useState } from 'react';

import { t } from '../text/text';
import { Icon } from './icon';

interface Props {
  /** A text, or what makes it when it is needed. */
  text: string | (() => string);
  label?: string;
}

export function CopyButton({ text, label = t('panel.copy') }: Props) {
  const [isCopied, setCopied] = useState(false);
  function copy() {
    void write(typeof text === 'string' ? text : text()).then(() => {
      setCopied(true);
      window.setTimeout(() => setCopied(false), 2_000);
    });
  }
  return (
    <button type="button" onClick={copy}>
      <Icon name="copy" />
      <span aria-live="polite">{isCopied ? t('panel.copied') : label}</span>
    </button>
  );
}

async function write(text: string): Promise<void> {
  // Over plain HTTP, but for loopback, browsers have no such clipboard.
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'hidden';
  const place = document.querySelector('dialog[open]') ?? document.body;
  place.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}
