'use client';

import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { Button } from './controls.tsx';

/** Copies `text` (or what it returns now) and says so for a moment. */
export function CopyButton({ text, children = 'Copy' }: { text: string | (() => string); children?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(typeof text === 'string' ? text : text());
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  const Icon = copied ? Check : Copy;
  return (
    <Button look="quiet" onClick={() => void copy()}>
      <Icon aria-hidden className="size-4" />
      <span aria-live="polite">{copied ? 'Copied' : children}</span>
    </Button>
  );
}
