/** The package's own types bring those of browsers into every file. */
declare const highlighter: {
  getLanguage(name: string): object | undefined
  highlight(
    code: string,
    options: { readonly language: string; readonly ignoreIllegals: boolean },
  ): { readonly value: string }
  registerLanguage(name: string, language: unknown): void
}
// biome-ignore lint/style/noDefaultExport: that is what the package has
export default highlighter
