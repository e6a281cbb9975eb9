// @mariozechner/pi-ai: what tools import from it. Model access is not theirs.
import { Type } from "@sinclair/typebox";
export { Type };
export const StringEnum = (values, options) => Type.Unsafe({ type: "string", enum: [...values], ...options });
const unavailable = (name) => () => { throw new Error(`${name} of @mariozechner/pi-ai is not available in the tool runtime: tools have no model`); };
export const complete = unavailable("complete"), completeSimple = unavailable("completeSimple"), stream = unavailable("stream"), streamSimple = unavailable("streamSimple");
export const getModel = unavailable("getModel"), getModels = () => [], getProviders = () => [];
export const parseStreamingJson = (text) => { try { return JSON.parse(text); } catch { return {}; } };
