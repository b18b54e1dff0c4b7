'use client';

import { useQuery } from '@tanstack/react-query';
import Link from 'next/link';
import { useDeferredValue, useState } from 'react';
import { Button, TextInput } from '../../components/controls.tsx';
import { StateMark } from '../../components/marks.tsx';
import { Page } from '../../components/page.tsx';
import { Empty, ErrorState, Loading, Skeleton } from '../../components/states.tsx';
import { Table } from '../../components/table.tsx';
import { dateTime, plural } from '../../lib/format.ts';
import { UnderWay } from '../jobs/under-way.tsx';
import { UploadButton } from '../upload/upload-area.tsx';
import { type StudyRow, studiesOptions } from './queries.ts';

export function StudiesPage() {
  const [text, setText] = useState('');
  const [first, setFirst] = useState(50);
  const { data, error, refetch } = useQuery(studiesOptions(useDeferredValue(text.trim()), first));
  return (
    <Page
      title="Studies"
      aside={
        <>
          {data && <span className="text-muted">{plural(data.studies.totalCount, 'study', 'studies')}</span>}
          <TextInput
            type="search"
            aria-label="Search by file name, accession number or study UID"
            placeholder="File, accession, UID"
            className="w-52"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </>
      }
    >
      {error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Loading what="studies">
          <Skeleton className="h-96" />
        </Loading>
      ) : data.studies.edges.length === 0 ? (
        <NoStudies searched={text.trim() !== ''} />
      ) : (
        <>
          <StudyTable studies={data.studies.edges.map(({ node }) => node)} />
          {data.studies.pageInfo.hasNextPage && first < 100 && (
            <Button className="mt-4" onClick={() => setFirst(100)}>
              Show more
            </Button>
          )}
        </>
      )}
    </Page>
  );
}

function NoStudies({ searched }: { searched: boolean }) {
  if (searched) return <Empty title="No study matches." />;
  return (
    <UnderWay
      kinds={['PHANTOM']}
      say={
        <p>
          Some of them appear here when all are drawn and prepared. Your own can be dropped on any page now; they are explained as soon as a
          run is in use.
        </p>
      }
    >
      <Empty title="No study yet.">
        <p>Drop a chest radiograph on any page, as PNG, JPEG or DICOM. All runs in use explain it: what they find, and where they look.</p>
        <UploadButton look="primary">Choose files</UploadButton>
      </Empty>
    </UnderWay>
  );
}

function StudyTable({ studies }: { studies: readonly StudyRow[] }) {
  return (
    <Table
      caption="Studies, newest first"
      rows={studies}
      rowKey={({ id }) => id}
      columns={[
        {
          name: 'Study',
          className: 'min-w-48',
          cell: ({ id, images, studyInstanceUid }) => (
            <Link href={`/studies/${encodeURIComponent(id)}`} className="flex min-w-0 items-center gap-3 hover:underline">
              {images.slice(0, 2).map(({ id: image, url }) => (
                // biome-ignore lint/performance/noImgElement: stored pixels, shown as they are
                <img
                  key={image}
                  src={url}
                  alt=""
                  loading="lazy"
                  width={40}
                  height={40}
                  className="size-10 shrink-0 bg-black object-contain"
                />
              ))}
              <span className="min-w-0 break-all">{images[0]?.fileName ?? studyInstanceUid}</span>
            </Link>
          ),
        },
        { name: 'State', cell: (study) => <StudyState study={study} /> },
        { name: 'Images', right: true, className: 'max-sm:hidden', cell: ({ images }) => images.length },
        { name: 'Accession', className: 'max-md:hidden', cell: ({ accessionNumber }) => accessionNumber ?? '–' },
        {
          name: 'Study UID',
          className: 'max-xl:hidden',
          cell: ({ studyInstanceUid }) => <span className="font-mono text-small">{studyInstanceUid}</span>,
        },
        { name: 'Received', right: true, className: 'max-sm:hidden', cell: ({ createdAt }) => dateTime(createdAt) },
      ]}
    />
  );
}

/** Of the newest job of each image, the one that is furthest from done. */
function StudyState({ study }: { study: StudyRow }) {
  const states = study.images.flatMap(({ jobs }) => jobs[0]?.state ?? []);
  const state = (['RUNNING', 'QUEUED', 'FAILED', 'CANCELLED', 'DONE'] as const).find((one) => states.includes(one));
  return state ? <StateMark state={state} /> : <span className="text-muted">not explained</span>;
}
