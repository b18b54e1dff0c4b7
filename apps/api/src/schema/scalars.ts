import { builder } from './builder.ts';

builder.scalarType('DateTime', { description: 'An instant, ISO 8601 in UTC.', serialize: (value) => value.toISOString() });

builder.scalarType('JSON', { description: 'Any JSON value.', serialize: (value) => value });
