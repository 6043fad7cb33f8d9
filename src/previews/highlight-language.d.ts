declare const language: unknown
// biome-ignore lint/style/noDefaultExport: that is what the package has
export default language
