declare const brand: unique symbol;

/** A value type of its own: made where it is parsed or computed, never by accident from a plain `T`. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
