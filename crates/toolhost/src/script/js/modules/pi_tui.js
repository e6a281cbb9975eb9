// @mariozechner/pi-tui: there is no terminal; what renders draws nothing.
class Component {
  children = [];
  addChild(child) { this.children.push(child); }
  removeChild(child) { this.children = this.children.filter((known) => known !== child); }
  clear() { this.children = []; }
  setText() {}
  invalidate() {}
  handleInput() {}
  render() { return []; }
}
export class Text extends Component {}
export class TruncatedText extends Component {}
export class Container extends Component {}
export class Box extends Component {}
export class Spacer extends Component {}
export class Markdown extends Component {}
export class Image extends Component {}
export class Input extends Component {}
export class Editor extends Component {}
export class SelectList extends Component {}
export class SettingsList extends Component {}
export class Loader extends Component {}
export class CancellableLoader extends Component {}
export const Key = {};
export const matchesKey = () => false;
export const visibleWidth = (text) => text.replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, "").length;
export const truncateToWidth = (text, width) => text.slice(0, width);
export const wrapTextWithAnsi = (text) => text.split("\n");
