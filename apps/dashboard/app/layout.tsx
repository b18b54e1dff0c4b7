import './globals.css';
import '@fontsource-variable/inter';
import type { Metadata, Viewport } from 'next';
import { headers } from 'next/headers';
import type { ReactNode } from 'react';
import { Header } from '../features/shell/header.tsx';
import { NONCE_SCRIPT } from '../features/shell/nonce.ts';
import { Providers } from '../features/shell/providers.tsx';
import { THEME_SCRIPT } from '../features/shell/theme.ts';
import { UploadArea } from '../features/upload/upload-area.tsx';

export const metadata: Metadata = {
  title: { default: 'CXR Lens', template: '%s · CXR Lens' },
  description: 'Compares how methods find pathologies in chest radiographs, and where they look.',
};

export const viewport: Viewport = { colorScheme: 'light dark', width: 'device-width', initialScale: 1 };

export default async function Layout({ children }: { children: ReactNode }) {
  const nonce = (await headers()).get('x-nonce') ?? undefined;
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        {/* Before the first paint, so that the page never flashes in the other theme. */}
        {/* The browser hides a nonce from the page, so that React finds another one than it was sent. */}
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: constants of ours */}
        <script nonce={nonce} suppressHydrationWarning dangerouslySetInnerHTML={{ __html: THEME_SCRIPT + NONCE_SCRIPT }} />
      </head>
      <body>
        <Providers>
          <UploadArea>
            <Header />
            {children}
          </UploadArea>
        </Providers>
      </body>
    </html>
  );
}
