// Whether the reader is at work in a part of the page: then nothing there may move.
import { useEffect, useState } from 'react';

export function useBusy(selector: string): boolean {
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    const look = () => setBusy(isAtWork(selector));
    const events = ['pointerover', 'pointerout', 'focusin', 'focusout', 'selectionchange', 'change'];
    for (const each of events) document.addEventListener(each, look, { passive: true });
    window.addEventListener('scroll', look, { passive: true });
    look();
    return () => {
      for (const each of events) document.removeEventListener(each, look);
      window.removeEventListener('scroll', look);
    };
  }, [selector]);
  return isBusy;
}

function isAtWork(selector: string): boolean {
  const part = document.querySelector(selector);
  if (!part) return false;
  const isFocused = part.contains(document.activeElement) && document.activeElement !== document.body;
  const hasSelectedText = document.getSelection()?.type === 'Range';
  const isScrolled = window.scrollY > part.getBoundingClientRect().top + window.scrollY - 60;
  return (
    part.matches(':hover') ||
    isFocused ||
    hasSelectedText ||
    isScrolled ||
    part.querySelector('tbody input:checked') !== null ||
    document.querySelector('dialog[open]') !== null
  );
}
