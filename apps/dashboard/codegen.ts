import type { CodegenConfig } from '@graphql-codegen/cli';

/** Typed documents from the committed schema: all that the dashboard knows of the system. */
const config: CodegenConfig = {
  schema: '../api/schema.graphql',
  documents: ['features/**/*.{ts,tsx}'],
  generates: {
    './gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: 'string',
        enumsAsTypes: true,
        useTypeImports: true,
        strictScalars: true,
        scalars: { DateTime: 'string', JSON: 'unknown' },
      },
    },
  },
};

export default config;
