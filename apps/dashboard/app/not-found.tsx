import Link from 'next/link';
import { Page } from '../components/page.tsx';
import { Empty } from '../components/states.tsx';

export default function NotFound() {
  return (
    <Page title="Not found">
      <Empty title="There is no page at this address.">
        <p>
          Go to{' '}
          <Link href="/" className="underline">
            Compare
          </Link>
          ,{' '}
          <Link href="/runs" className="underline">
            Runs
          </Link>{' '}
          or{' '}
          <Link href="/studies" className="underline">
            Studies
          </Link>
          .
        </p>
      </Empty>
    </Page>
  );
}
