/** The card renderer: `deskhub.card/1` as hooks and JSX, for React and Preact alike. */

export { CardView } from "./Card";
export { Badge, Value } from "./values";
export { Action } from "./Action";
export { CardForm, checkForm } from "./Form";
export type { CardEnv, CardIcon, CardPlace, Drawn } from "./env";
