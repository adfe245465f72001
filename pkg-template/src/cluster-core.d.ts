// What src/bindings/cluster exports, as the package uses it; and its module as text. All functions but `take` give how many numbers there are
// to take (cluster-told.ts). Time is milliseconds of `performance.now()`.

declare module "bowline-cluster-gz" {
  /** The module, gzipped, as base64. */
  const text: string;
  export default text;
}
