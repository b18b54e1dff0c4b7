import path from 'node:path';
import type { NextConfig } from 'next';

const root = path.resolve(import.meta.dirname, '../..');
const api = process.env['API_URL'] ?? 'http://127.0.0.1:4000';

const config: NextConfig = {
  // The end-to-end test builds beside a build that may be in use.
  distDir: process.env['CXR_DASHBOARD_BUILD'] ?? '.next',
  outputFileTracingRoot: root,
  turbopack: { root },
  poweredByHeader: false,
  devIndicators: false,
  // `npm run check` checks types with the project's own tsconfig; the build need not do it again.
  typescript: { ignoreBuildErrors: true },
  // The API is the public port and hands pages to this server; only `next dev` is visited directly, and its pages are answered when the API
  // is started with --dashboard http://127.0.0.1:3000.
  rewrites: async () =>
    process.env.NODE_ENV === 'development'
      ? ['/graphql', '/studies', '/images/:path*', '/explanations/:path*']
          .filter((source) => source !== '/studies')
          .map((source) => ({ source, destination: `${api}${source}` }))
      : [],
};

export default config;
