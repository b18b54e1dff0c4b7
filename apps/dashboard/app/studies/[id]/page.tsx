import type { Metadata } from 'next';
import { StudyPage } from '../../../features/study/study-page.tsx';

export const metadata: Metadata = { title: 'Study' };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  return <StudyPage id={decodeURIComponent((await params).id)} />;
}
