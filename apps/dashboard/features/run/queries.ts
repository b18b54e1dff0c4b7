import { queryOptions } from '@tanstack/react-query';
import type { RunQuery, RunsQuery, SweepInput, TrainInput } from '../../gql/graphql.ts';
import { graphql } from '../../gql/index.ts';
import { request } from '../../lib/request.ts';

const RunsDocument = graphql(/* GraphQL */ `
  query Runs($first: Int, $after: String) {
    runs(first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
      }
      edges {
        node {
          id
          name
          preset
          state
          seed
          epsilon
          active
          exploded
          createdAt
          method {
            name
            label
          }
          dataSet {
            id
            name
            synthetic
          }
          evaluations {
            id
            meanAuc
            createdAt
            dataSet {
              id
              name
            }
          }
        }
      }
    }
  }
`);

const ChoicesDocument = graphql(/* GraphQL */ `
  query TrainChoices {
    methods {
      name
      label
      description
      startsFrom
      note
      published
      folds
    }
    dataSets {
      id
      name
      size
      synthetic
    }
    runs(first: 100) {
      edges {
        node {
          id
          name
          state
          preset
          method {
            name
            label
          }
          dataSet {
            id
          }
        }
      }
    }
  }
`);

const MethodsDocument = graphql(/* GraphQL */ `
  query Methods {
    methods {
      name
      startsFrom
    }
  }
`);

graphql(/* GraphQL */ `
  fragment RunParts on Run {
    id
    name
    preset
    state
    seed
    epsilon
    active
    card
    codeVersion
    engine
    weightsSha256
    command
    bestEpoch
    exploded
    end {
      epoch
      by
      seconds
    }
    createdAt
    finishedAt
    error
    method {
      name
      label
      description
      note
    }
    imported {
      network
      sourceSha256
      trainedHere
    }
    dataSet {
      id
      name
      size
      synthetic
      trainImages
      validationImages
      datasetHash
    }
    parent {
      id
      name
    }
    options {
      name
      value
      default
      changed
    }
    epochs {
      epoch
      trainLoss
      validationLoss
      perturbedValidationLoss
      probe {
        clean
        own
        strong
        overfitted
      }
      validationAuc
      seconds
      best
    }
    evaluations {
      id
      meanAuc
      createdAt
      images
      excludedPatients
      dataSet {
        id
        name
        synthetic
        boxedPairs
      }
      protocol {
        name
        description
      }
    }
    job {
      ...JobParts
    }
  }
`);

const RunDocument = graphql(/* GraphQL */ `
  query Run($id: ID!) {
    run(id: $id) {
      ...RunParts
    }
  }
`);

export const FollowRunDocument = graphql(/* GraphQL */ `
  subscription FollowRun($id: ID!) {
    run(id: $id) {
      ...RunParts
    }
  }
`);

const TrainDocument = graphql(/* GraphQL */ `
  mutation TrainRun($input: TrainInput!) {
    trainRun(input: $input) {
      id
      run {
        id
      }
    }
  }
`);

const EpsilonsDocument = graphql(/* GraphQL */ `
  query SweepEpsilons {
    sweepEpsilons
  }
`);

const SweepDocument = graphql(/* GraphQL */ `
  mutation SweepEpsilon($input: SweepInput!) {
    sweepEpsilon(input: $input) {
      id
    }
  }
`);

const EvaluateDocument = graphql(/* GraphQL */ `
  mutation EvaluateRun($id: ID!, $dataSet: ID) {
    evaluateRun(id: $id, dataSet: $dataSet) {
      ...JobParts
    }
  }
`);

const DeactivateDocument = graphql(/* GraphQL */ `
  mutation DeactivateRun($id: ID!) {
    deactivateRun(id: $id) {
      id
      active
    }
  }
`);

const ActivateDocument = graphql(/* GraphQL */ `
  mutation ActivateRun($id: ID!, $evenIfExploded: Boolean) {
    activateRun(id: $id, evenIfExploded: $evenIfExploded) {
      id
      active
    }
  }
`);

export type Run = NonNullable<RunQuery['run']>;
export type RunRow = RunsQuery['runs']['edges'][number]['node'];

export const runsOptions = (first: number) =>
  queryOptions({
    queryKey: ['runs', first],
    queryFn: ({ signal }) => request(RunsDocument, { first }, signal),
    refetchInterval: ({ state }) => (state.data?.runs.edges.some(({ node }) => node.state === 'TRAINING') ? 3_000 : 10_000),
    placeholderData: (previous) => previous,
  });

export const trainChoicesOptions = queryOptions({
  queryKey: ['runs', 'choices'],
  staleTime: 0,
  queryFn: ({ signal }) => request(ChoicesDocument, {}, signal),
});

export const methodsOptions = queryOptions({
  queryKey: ['methods'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: ({ signal }) => request(MethodsDocument, {}, signal),
});

export const epsilonsOptions = queryOptions({
  queryKey: ['sweepEpsilons'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: ({ signal }) => request(EpsilonsDocument, {}, signal),
});

export const runOptions = (id: string) =>
  queryOptions({ queryKey: ['run', id], queryFn: ({ signal }) => request(RunDocument, { id }, signal) });

export const trainRun = (input: TrainInput) => request(TrainDocument, { input });
export const sweepEpsilon = (input: SweepInput) => request(SweepDocument, { input });
export const evaluateRun = (id: string) => request(EvaluateDocument, { id });
export const deactivateRun = (id: string) => request(DeactivateDocument, { id });
export const activateRun = ({ id, evenIfExploded }: { id: string; evenIfExploded: boolean }) =>
  request(ActivateDocument, { id, evenIfExploded });
