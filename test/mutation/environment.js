/** Properties are tried with the same few examples for each mutant. */
export const environment = { NUMBER_PROPERTY_SEED: "5", NUMBER_PROPERTY_FACTOR: "0.1" }
