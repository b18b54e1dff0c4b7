import { queryOptions } from '@tanstack/react-query';
import type { CompareChoicesQuery, ComparisonsQuery } from '../../gql/graphql.ts';
import { graphql } from '../../gql/index.ts';
import { request } from '../../lib/request.ts';

const ChoicesDocument = graphql(/* GraphQL */ `
  query CompareChoices {
    runs(first: 100) {
      edges {
        node {
          id
          name
          seed
          preset
          active
          exploded
          state
          createdAt
          method {
            name
            label
          }
          evaluations {
            id
            dataSet {
              id
            }
          }
        }
      }
    }
    dataSets {
      id
      name
      synthetic
    }
  }
`);

const ComparisonsDocument = graphql(/* GraphQL */ `
  query Comparisons($runs: [ID!], $protocol: String, $dataSet: ID, $choose: Boolean!) {
    protocols(runs: $runs, protocol: $protocol, dataSet: $dataSet) @include(if: $choose) {
      name
      description
    }
    comparisons(runs: $runs, protocol: $protocol, dataSet: $dataSet) {
      finding {
        name
        label
        boxed
      }
      protocol {
        name
        description
      }
      dataSet {
        id
        name
        size
        synthetic
        testImages
        boxedPairs
      }
      statement
      differences {
        run {
          id
        }
        over {
          id
        }
        iouThreshold
        value
        low
        high
        pairs
        paired
        verdict
        statement
      }
      publishedAuc {
        label
        auc
        official
        split
        source
      }
      runs {
        ...ComparedParts
        evaluation {
          id
          meanAuc
          meanAucLow
          meanAucHigh
          excludedPatients
        }
        auc {
          auc
          low
          high
          positives
          negatives
          reason
        }
      }
      apart {
        reason
        protocol {
          name
          description
        }
        runs {
          ...ComparedParts
        }
        controls {
          ...CurveParts
        }
      }
      controls {
        ...CurveParts
      }
      references {
        ...CurveParts
      }
    }
  }

  fragment ComparedParts on ComparisonRun {
    run {
      id
      name
      seed
      method {
        name
        label
        note
      }
    }
    curve {
      ...CurveParts
    }
  }

  fragment CurveParts on LocalizationCurve {
    kind
    label
    pairs
    threshold
    meanIou
    reason
    source
    points {
      iouThreshold
      accuracy
      low
      high
      sd
      falsePositives
      iobb {
        accuracy
        low
        high
        falsePositives
      }
    }
  }
`);

/** What the reader has chosen; null leaves it to the API. */
export interface Choice {
  runs: readonly string[] | null;
  dataSet: string | null;
  protocol: string | null;
  /** Whether published results are drawn; null: where the data set is real. */
  published: boolean | null;
}

export const choicesOptions = queryOptions({
  queryKey: ['compare', 'choices'],
  queryFn: ({ signal }) => request(ChoicesDocument, {}, signal),
});

/** `choose`: with the protocols to choose from. */
export const comparisonsOptions = ({ runs, dataSet, protocol, choose }: Omit<Choice, 'published'> & { choose: boolean }) =>
  queryOptions({
    queryKey: ['compare', runs, dataSet, protocol, choose],
    queryFn: ({ signal }) => request(ComparisonsDocument, { runs: runs ? [...runs] : null, dataSet, protocol, choose }, signal),
    // While another choice loads, the old curves stay: nothing jumps.
    placeholderData: (previous) => previous,
    enabled: runs === null || runs.length > 0,
  });

export type Choices = CompareChoicesQuery;
export type ChoiceRun = CompareChoicesQuery['runs']['edges'][number]['node'];
export type Comparisons = ComparisonsQuery;
export type Comparison = ComparisonsQuery['comparisons'][number];
export type Curve = Comparison['controls'][number];
/** What is drawn on one pair of axes: the curves of a finding that one protocol measured. */
export type Curves = Pick<Comparison, 'finding' | 'protocol' | 'controls' | 'references'> & { runs: Comparison['apart'][number]['runs'] };
