// Copies a text, and says so.
import { useState } from 'react';

import { t } from '../text/text';
import { Icon } from './icon';

export function CopyButton({ text, label = t('panel.copy') }: { text: string; label?: string }) {
  const [isCopied, setCopied] = useState(false);
  function copy() {
    void navigator.clipboard.writeText(text).then(() => {
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
