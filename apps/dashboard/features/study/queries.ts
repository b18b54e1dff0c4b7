import { queryOptions } from '@tanstack/react-query';
import type { StudiesQuery, StudyQuery } from '../../gql/graphql.ts';
import { graphql } from '../../gql/index.ts';
import { request } from '../../lib/request.ts';
import { isOpen } from '../jobs/queries.ts';

const StudiesDocument = graphql(/* GraphQL */ `
  query Studies($filter: StudyFilter, $first: Int) {
    studies(filter: $filter, first: $first) {
      totalCount
      pageInfo {
        hasNextPage
      }
      edges {
        node {
          id
          studyInstanceUid
          accessionNumber
          createdAt
          images {
            id
            url
            fileName
            view
            width
            height
            jobs {
              id
              state
            }
          }
        }
      }
    }
  }
`);

const StudyDocument = graphql(/* GraphQL */ `
  query Study($id: ID!) {
    study(id: $id) {
      id
      studyInstanceUid
      accessionNumber
      createdAt
      images {
        id
        url
        width
        height
        fileName
        view
        boxes {
          finding {
            name
          }
          box {
            x
            y
            width
            height
          }
        }
        jobs {
          ...JobParts
        }
        explanations {
          ...ExplanationParts
        }
      }
    }
  }

  fragment ExplanationParts on Explanation {
    id
    logit
    probability
    probabilityReason
    operatingPoint
    decision
    camThreshold
    boxReason
    overlayUrl
    finding {
      name
      label
    }
    run {
      id
      name
      active
      method {
        name
        label
        note
        map
      }
      dataSet {
        name
        synthetic
      }
    }
    box {
      x
      y
      width
      height
    }
    cam {
      url
      npyUrl
      width
      height
      min
      max
    }
    saliency {
      url
      npyUrl
      width
      height
      min
      max
    }
    evidence {
      statement
    }
    bitsInUse {
      bits
      source
    }
    current
    pins {
      runId
      weightsSha256
      cardSha256
      preprocessingVersion
      codeVersion
      datasetHash
    }
  }
`);

const ExpectedDocument = graphql(/* GraphQL */ `
  query ExpectedAnswers {
    findings {
      name
      label
    }
    runs(first: 100) {
      edges {
        node {
          id
          name
          active
          state
          method {
            name
            label
            note
            map
          }
          dataSet {
            name
            synthetic
          }
        }
      }
    }
  }
`);

const ExplainDocument = graphql(/* GraphQL */ `
  mutation ExplainImage($imageId: ID!) {
    explainImage(imageId: $imageId) {
      id
    }
  }
`);

const DeleteDocument = graphql(/* GraphQL */ `
  mutation DeleteStudy($id: ID!) {
    deleteStudy(id: $id)
  }
`);

export type Study = NonNullable<StudyQuery['study']>;
export type StudyImage = Study['images'][number];
export type Explanation = StudyImage['explanations'][number];
export type ExplainedRun = Explanation['run'];
export type StudyRow = StudiesQuery['studies']['edges'][number]['node'];

export const studiesOptions = (text: string, first: number) =>
  queryOptions({
    queryKey: ['studies', text, first],
    queryFn: ({ signal }) => request(StudiesDocument, { filter: text === '' ? null : { text }, first }, signal),
    placeholderData: (previous) => previous,
    refetchInterval: ({ state }) =>
      state.data?.studies.edges.some(({ node }) => node.images.some(({ jobs }) => jobs.some(isOpen))) ? 2_000 : 10_000,
  });

export const studyOptions = (id: string) =>
  queryOptions({ queryKey: ['study', id], queryFn: ({ signal }) => request(StudyDocument, { id }, signal) });

/** What an image that is being explained will be told: by which runs (oldest first), of which findings. */
export const expectedOptions = queryOptions({
  queryKey: ['study', 'expected'],
  staleTime: 60_000,
  queryFn: async ({ signal }) => {
    const { findings, runs } = await request(ExpectedDocument, {}, signal);
    return {
      findings,
      runs: runs.edges
        .map(({ node }) => node)
        .filter(({ active, state }) => active && state === 'FINISHED')
        .reverse(),
    };
  },
});

export const explainImage = (imageId: string) => request(ExplainDocument, { imageId });
export const deleteStudy = (id: string) => request(DeleteDocument, { id });
