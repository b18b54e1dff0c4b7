import type { Metadata } from 'next';
import { StudiesPage } from '../../features/study/studies-page.tsx';

export const metadata: Metadata = { title: 'Studies' };

export default function Page() {
  return <StudiesPage />;
}
