import { mergeConfig } from 'vitest/config';
import { testConfig } from '../../vitest.base.ts';

// Node gives every library graphql's CommonJS build; vite would give our own files the other one, and graphql refuses to be two.
export default mergeConfig(testConfig(), { resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] } });
