/**
 * How often properties run, and from which seed: `NUMBER_PROPERTY_SEED` repeats a run, `NUMBER_PROPERTY_FACTOR`
 * multiplies the number of runs.
 */
export const propertyOptions = (given: {
  readonly numRuns: number
  /** Default: another one each time. */
  readonly seed?: number
}): { readonly numRuns: number; readonly seed: number } => ({
  numRuns: given.numRuns * Number(process.env["NUMBER_PROPERTY_FACTOR"] ?? 1),
  seed: Number(process.env["NUMBER_PROPERTY_SEED"] ?? given.seed ?? Date.now() & 0x7fffffff)
})

/** Lets the event loop turn now and then, so that the test runner hears from a property that computes for long. */
export const breathe = <A>(property: (given: A) => Promise<void>): ((given: A) => Promise<void>) => {
  let runs = 0
  return async (given) => {
    if (runs++ % 100 === 0) await new Promise<void>((resolve) => setImmediate(resolve))
    await property(given)
  }
}
