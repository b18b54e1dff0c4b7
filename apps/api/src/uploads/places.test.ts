import { expect, it } from 'vitest';
import { createPlaces } from './places.ts';

it('has so many places for each client and for all; one that is left is free again, once', () => {
  const places = createPlaces({ each: 2, all: 3 });
  const leave = places.take('a');
  places.take('a');
  expect(() => places.take('a')).toThrow('2 uploads of a are under way');
  places.take('b');
  expect(() => places.take('b')).toThrow('3 uploads are under way');
  leave();
  leave();
  places.take('b');
  expect(() => places.take('c')).toThrow('3 uploads are under way');
});
