/** Style sheets imported as text, see build.mjs. */
declare module "*.css?text" {
  const text: string;
  export default text;
}
