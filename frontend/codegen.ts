// Types of all documents of the dashboard (`*.graphql`), their texts, and the hashes by which the server knows them.
import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../schema.graphql',
  documents: 'src/dashboard/**/*.graphql',
  generates: {
    'src/dashboard/generated/': {
      preset: 'client',
      presetConfig: {
        fragmentMasking: false,
        persistedDocuments: { mode: 'embedHashInDocument', hashAlgorithm: 'sha256' },
      },
      config: {
        documentMode: 'string',
        enumsAsTypes: true,
        useTypeImports: true,
        scalars: { DateTime: 'string', UUID: 'string', JSON: 'unknown', ID: 'string' },
      },
    },
  },
};

export default config;
