import { queryOptions } from '@tanstack/react-query';
import type { JobPartsFragment } from '../../gql/graphql.ts';
import { graphql } from '../../gql/index.ts';
import { request } from '../../lib/request.ts';

// Spread by the queries of runs and studies too.
graphql(/* GraphQL */ `
  fragment JobParts on Job {
    id
    kind
    state
    progress {
      what
      done
      total
    }
    events {
      at
      message
    }
    error {
      code
      message
    }
    resumable
    run {
      id
      name
      end {
        epoch
        by
        seconds
      }
    }
    runs {
      id
      name
    }
    parts {
      id
      state
      progress {
        what
        done
        total
      }
      run {
        id
        epsilon
      }
    }
    image {
      id
      fileName
      study {
        id
      }
    }
    createdAt
    startedAt
    finishedAt
  }
`);

const JobsDocument = graphql(/* GraphQL */ `
  query Jobs($first: Int, $after: String) {
    jobs(first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        node {
          ...JobParts
        }
      }
    }
  }
`);

const CancelDocument = graphql(/* GraphQL */ `
  mutation CancelJob($id: ID!) {
    cancelJob(id: $id) {
      id
      state
    }
  }
`);

const ResumeDocument = graphql(/* GraphQL */ `
  mutation ResumeJob($id: ID!) {
    resumeJob(id: $id) {
      id
      state
    }
  }
`);

export const JobDocument = graphql(/* GraphQL */ `
  subscription FollowJob($id: ID!) {
    job(id: $id) {
      ...JobParts
    }
  }
`);

export type Job = JobPartsFragment;

/** Whether more will be heard of the job. */
export function isOpen(job: Pick<Job, 'state'>): boolean {
  return job.state === 'QUEUED' || job.state === 'RUNNING';
}

export const PAGE = 50;

export const jobsOptions = (first: number) =>
  queryOptions({
    queryKey: ['jobs', first],
    queryFn: ({ signal }) => request(JobsDocument, { first }, signal),
    // The newest jobs are what one watches here; a subscription follows one job, not the list.
    refetchInterval: ({ state }) => (state.data?.jobs.edges.some(({ node }) => isOpen(node)) ? 1_500 : 10_000),
    placeholderData: (previous) => previous,
  });

export const cancelJob = (id: string) => request(CancelDocument, { id });
export const resumeJob = (id: string) => request(ResumeDocument, { id });
