'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { Button } from '../../components/controls.tsx';
import { Modal } from '../../components/overlays.tsx';
import { Page } from '../../components/page.tsx';
import { Empty, ErrorState, InlineError, Loading, Skeleton } from '../../components/states.tsx';
import { dateTime } from '../../lib/format.ts';
import { asApiError } from '../../lib/request.ts';
import { useSubscription } from '../../lib/subscribe.ts';
import { isOpen, type Job, JobDocument } from '../jobs/queries.ts';
import { ImageView } from './image-view.tsx';
import { deleteStudy, explainImage, type Study, type StudyImage, studyOptions } from './queries.ts';

export function StudyPage({ id }: { id: string }) {
  const options = studyOptions(id);
  const { data, error, refetch } = useQuery(options);
  const [chosen, setChosen] = useState<string | null>(null);
  const study = data?.study;
  const image = study?.images.find((one) => one.id === chosen) ?? study?.images[0];
  const job = image?.jobs.find(isOpen);
  useJob(id, job);
  if (error && asApiError(error).code !== 'NOT_FOUND') {
    return (
      <Page title="Study">
        <ErrorState error={error} retry={() => void refetch()} />
      </Page>
    );
  }
  if (error || study === null) return <NoStudy id={id} />;
  if (!study) return <StudySkeleton />;
  return (
    <Page title={<StudyTitle study={study} image={image} />} aside={<StudyActions study={study} image={image} busy={job !== undefined} />}>
      <p className="pb-4 text-small text-muted">
        <span className="font-semibold text-ink">Research use, not for diagnosis.</span>{' '}
        {study.accessionNumber && `Accession ${study.accessionNumber}. `}
        {image && `${image.width} × ${image.height} px${image.view ? `, ${image.view}` : ''}. `}Received {dateTime(study.createdAt)}.
      </p>
      {study.images.length > 1 && (
        <nav aria-label="Images of the study" className="flex flex-wrap gap-2 pb-4">
          {study.images.map((one) => (
            <button
              key={one.id}
              type="button"
              aria-pressed={one.id === image?.id}
              onClick={() => setChosen(one.id)}
              className="border-b-2 border-transparent pb-1 aria-pressed:border-accent"
            >
              {/* biome-ignore lint/performance/noImgElement: stored pixels, shown as they are */}
              <img src={one.url} alt={one.fileName ?? 'Image'} width={64} height={64} className="size-16 bg-black object-contain" />
            </button>
          ))}
        </nav>
      )}
      {image ? <ImageView key={image.id} image={image} /> : <Empty title="This study has no image." />}
    </Page>
  );
}

/** Follows the image's open job; whatever it has finished is read at once. */
function useJob(study: string, job: Job | undefined): void {
  const queries = useQueryClient();
  const { queryKey } = studyOptions(study);
  useSubscription(JobDocument, job ? { id: job.id } : null, ({ job: now }) => {
    queries.setQueryData(queryKey, (data) => {
      if (!data?.study) return data;
      const images = data.study.images.map((image) => ({ ...image, jobs: image.jobs.map((one) => (one.id === now.id ? now : one)) }));
      return { study: { ...data.study, images } };
    });
    // A reading under way is not cut off by the next step: else a fast job would show nothing until its end.
    void queries.invalidateQueries({ queryKey }, { cancelRefetch: !isOpen(now) });
  });
}

function StudyTitle({ study, image }: { study: Study; image: StudyImage | undefined }) {
  return <span className="min-w-0 break-all">{image?.fileName ?? study.accessionNumber ?? 'Study'}</span>;
}

function StudyActions({ study, image, busy }: { study: Study; image: StudyImage | undefined; busy: boolean }) {
  const queries = useQueryClient();
  const router = useRouter();
  const [asking, setAsking] = useState(false);
  const refresh = () => queries.invalidateQueries({ queryKey: studyOptions(study.id).queryKey });
  const explain = useMutation({ mutationFn: explainImage, onSuccess: refresh });
  const remove = useMutation({
    mutationFn: deleteStudy,
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['studies'] });
      router.push('/studies');
    },
  });
  return (
    <>
      <InlineError error={explain.error} />
      {image && (
        <Button disabled={busy || explain.isPending} onClick={() => explain.mutate(image.id)}>
          {image.explanations.length > 0 ? 'Explain again' : 'Explain'}
        </Button>
      )}
      <Button look="danger" onClick={() => setAsking(true)}>
        Delete
      </Button>
      <Modal
        open={asking}
        onClose={() => setAsking(false)}
        title="Delete this study?"
        description="Its images, explanations and stored files are deleted for good."
      >
        <InlineError error={remove.error} />
        <div className="flex gap-2 pt-2">
          <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate(study.id)}>
            Delete
          </Button>
          <Button onClick={() => setAsking(false)}>Keep it</Button>
        </div>
      </Modal>
    </>
  );
}

function NoStudy({ id }: { id: string }) {
  return (
    <Page title="Study">
      <Empty title="There is no study of this id.">
        <p>It may have been deleted.</p>
        <p className="font-mono text-small">{id}</p>
        <Link href="/studies" className="underline">
          All studies
        </Link>
      </Empty>
    </Page>
  );
}

function StudySkeleton() {
  return (
    <Page title="Study">
      <Loading what="the study">
        <div className="grid gap-x-8 gap-y-6 lg:grid-cols-[minmax(0,1.7fr)_minmax(340px,1fr)] 2xl:grid-cols-[minmax(0,1fr)_minmax(420px,520px)]">
          <div className="grid gap-2 sm:grid-cols-2">
            <Skeleton className="aspect-square" />
            <Skeleton className="aspect-square" />
          </div>
          <Skeleton className="h-[560px]" />
        </div>
      </Loading>
    </Page>
  );
}
