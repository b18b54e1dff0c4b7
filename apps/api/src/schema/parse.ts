import SchemaBuilder, {
  BasePlugin,
  type FieldNullability,
  type InputFieldMap,
  type InputShapeFromFields,
  type PothosOutputFieldConfig,
  type SchemaTypes,
  type TypeParam,
} from '@pothos/core';
import type { z } from 'zod';
import { parse } from '../input.ts';

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      parse: ParsePlugin<Types>;
    }
    export interface FieldOptions<
      Types extends SchemaTypes = SchemaTypes,
      ParentShape = unknown,
      Type extends TypeParam<Types> = TypeParam<Types>,
      Nullable extends FieldNullability<Type> = FieldNullability<Type>,
      Args extends InputFieldMap = InputFieldMap,
      ResolveShape = unknown,
      ResolveReturnShape = unknown,
    > {
      /** What the arguments go through before anything else sees them; every field that has arguments has one (tested). */
      parse?: z.ZodType<InputShapeFromFields<Args>>;
    }
  }
}

/**
 * Puts a field's `parse` before its resolver and its subscription. As a mapper of arguments it also comes before what Prisma selects, which
 * reads the arguments of fields further down before these are resolved.
 */
class ParsePlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const schema = field.pothosOptions.parse;
    if (!schema) return field;
    return { ...field, argMappers: [...field.argMappers, (args) => parse(schema, args, field.name)] };
  }
}

SchemaBuilder.registerPlugin('parse', ParsePlugin);
