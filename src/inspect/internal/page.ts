export const page = { html: "", css: "", js: "" }
