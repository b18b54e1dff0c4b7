'use client';

import { X } from 'lucide-react';
import { Dialog, DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';
import { IconButton } from './controls.tsx';

/** A window over the page: focus stays inside, Escape closes it. */
export function Modal({
  open,
  onClose,
  title,
  description,
  wide = false,
  children,
}: {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/50" />
        <Dialog.Content
          className={`fixed top-1/2 left-1/2 z-50 max-h-[calc(100dvh-32px)] w-[calc(100vw-16px)] -translate-x-1/2 -translate-y-1/2 overflow-y-auto border border-edge bg-paper p-4 md:p-6 ${wide ? 'max-w-5xl' : 'max-w-xl'}`}
          {...(description ? {} : { 'aria-describedby': undefined })}
        >
          <div className="flex items-start justify-between gap-4 pb-4">
            <div>
              <Dialog.Title className="text-title">{title}</Dialog.Title>
              {description && <Dialog.Description className="text-muted">{description}</Dialog.Description>}
            </div>
            <Dialog.Close asChild>
              <IconButton label="Close">
                <X aria-hidden className="size-4" />
              </IconButton>
            </Dialog.Close>
          </div>
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** A menu of commands that opens from `trigger`. */
export function Menu({ trigger, items }: { trigger: ReactNode; items: readonly { label: string; onSelect: () => void }[] }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={4} className="z-50 min-w-32 border border-edge bg-paper py-1">
          {items.map(({ label, onSelect }) => (
            <DropdownMenu.Item
              key={label}
              onSelect={onSelect}
              className="flex h-8 cursor-pointer items-center px-3 outline-none data-highlighted:bg-raised"
            >
              {label}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
