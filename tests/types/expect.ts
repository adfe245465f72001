// Two helpers for tests that only the type checker runs. Nothing here has a meaning at run time.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when the value has exactly this type: `exactly<string>()(value)`. */
export declare function exactly<Expected>(): <Actual>(
  value: Actual,
  ...proof: Equal<Actual, Expected> extends true ? [] : [never]
) => void;

/** A value of any type, as tests need values and not their making. */
export declare function some<T>(): T;
