import './globals.css';
import '@fontsource-variable/inter';
import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import { Header } from '../features/shell/header.tsx';
import { Providers } from '../features/shell/providers.tsx';
import { THEME_SCRIPT } from '../features/shell/theme.ts';
import { UploadArea } from '../features/upload/upload-area.tsx';

export const metadata: Metadata = {
  title: { default: 'CXR Lens', template: '%s · CXR Lens' },
  description: 'Compares how methods find pathologies in chest radiographs, and where they look.',
};

export const viewport: Viewport = { colorScheme: 'light dark', width: 'device-width', initialScale: 1 };

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        {/* Before the first paint, so that the page never flashes in the other theme. */}
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: a constant of ours */}
        <script dangerouslySetInnerHTML={{ __html: THEME_SCRIPT }} />
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
