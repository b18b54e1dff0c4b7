'use client';

import { useQuery } from '@tanstack/react-query';
import { Monitor, Moon, Sun } from 'lucide-react';
import Link from 'next/link';
import { usePathname } from 'next/navigation';
import { useEffect, useState } from 'react';
import { IconButton } from '../../components/controls.tsx';
import { graphql } from '../../gql/index.ts';
import { request } from '../../lib/request.ts';
import { UploadButton } from '../upload/upload-area.tsx';
import { readTheme, THEMES, type Theme, writeTheme } from './theme.ts';

const PAGES = [
  { href: '/', label: 'Compare' },
  { href: '/runs', label: 'Runs' },
  { href: '/studies', label: 'Studies' },
  { href: '/jobs', label: 'Jobs' },
];

const ViewerQuery = graphql(/* GraphQL */ `
  query Viewer {
    viewer {
      name
    }
  }
`);

export function Header() {
  const path = usePathname();
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-paper">
      <a href="#content" className="sr-only focus:not-sr-only focus:absolute focus:bg-paper focus:px-4 focus:py-3">
        Skip to the content
      </a>
      <div className="mx-auto flex max-w-[2400px] flex-wrap items-center gap-x-8 px-4 md:px-6">
        <Link href="/" className="flex h-12 items-center font-semibold">
          CXR Lens
        </Link>
        <nav aria-label="Pages" className="-mx-3 flex max-sm:order-last max-sm:w-full">
          {PAGES.map(({ href, label }) => {
            const here = href === '/' ? path === '/' : path.startsWith(href);
            return (
              <Link
                key={href}
                href={href}
                {...(here ? { 'aria-current': 'page' } : {})}
                className="flex h-10 items-center border-b-2 border-transparent px-3 text-muted hover:text-ink aria-[current=page]:border-accent aria-[current=page]:text-ink sm:h-12"
              >
                {label}
              </Link>
            );
          })}
        </nav>
        <div className="ml-auto flex items-center gap-2">
          <UploadButton />
          <ThemeSwitch />
          <ViewerName />
        </div>
      </div>
    </header>
  );
}

const ICONS = { system: Monitor, light: Sun, dark: Moon };

function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>('system');
  useEffect(() => setTheme(readTheme()), []);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  const Icon = ICONS[theme];
  return (
    <IconButton
      label={`Theme: ${theme}. Switch to ${next}`}
      onClick={() => {
        writeTheme(next);
        setTheme(next);
      }}
    >
      <Icon aria-hidden className="size-4" />
    </IconButton>
  );
}

function ViewerName() {
  const { data } = useQuery({ queryKey: ['viewer'], queryFn: ({ signal }) => request(ViewerQuery, {}, signal), staleTime: 600_000 });
  return <span className="max-w-32 truncate text-small text-muted max-md:hidden">{data?.viewer.name}</span>;
}
