# Made of templates/ by packaging/templates.py. Do not edit.
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'frame.html'

def root(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    l_0_w = resolve('w')
    l_0_filler = resolve('filler')
    l_0_font = missing
    pass
    included_template = environment.get_template('builtin/elements.html', 'frame.html')._get_default_module(context)
    l_0_font = getattr(included_template, 'font', missing)
    if l_0_font is missing:
        l_0_font = undefined(f"the template {included_template.__name__!r} (imported on line 2 in 'frame.html') does not export the requested name 'font'", name='font')
    context.vars['font'] = l_0_font
    context.exported_vars.discard('font')
    yield '<!doctype html>\n<html lang="'
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).lang)
    yield '" dir="ltr">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width,initial-scale=1">\n<meta name="color-scheme" content="light dark">\n<meta name="supported-color-schemes" content="light dark">\n<meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no">\n<meta name="x-apple-disable-message-reformatting">\n<title>'
    yield from context.blocks['title'][0](context)
    yield '</title>\n<style>\n:root{color-scheme:light dark;supported-color-schemes:light dark}\nbody{margin:0;padding:0;-webkit-text-size-adjust:100%;-ms-text-size-adjust:100%}\ntable{border-spacing:0}\n@media (max-width:480px){.pad{padding-left:16px!important;padding-right:16px!important}}\n</style>\n<!--[if mso]><style>div,p,h1,td,th,span,a{font-family:Segoe UI,Arial,sans-serif!important}</style><![endif]-->\n<style>\n@media (prefers-color-scheme:dark){\n.page{background-color:#12161b!important}\n.card{background-color:#1d232a!important;border-right-color:#38424d!important;border-bottom-color:#38424d!important;border-left-color:#38424d!important}\n.text{color:#e7ebf0!important}\n.muted{color:#aab5c0!important}\n.line{border-color:#38424d!important}\n.box{background-color:#272f38!important;border-color:#8796a5!important;color:#e7ebf0!important}\n.button{background-color:#6ea8ff!important;border-color:#6ea8ff!important;color:#0b1626!important}\n.pending{background-color:#463815!important;color:#ffe08a!important}\n.approved{background-color:#173d26!important;color:#a5e8bb!important}\n.denied{background-color:#4d1c1f!important;color:#ffc2c2!important}\n.promoted{background-color:#1b3557!important;color:#b9d6ff!important}\n.expired{background-color:#37414c!important;color:#dbe2e9!important}\n}\n</style>\n</head>\n<body class="page" style="margin:0;padding:0;background-color:#eef1f5">\n<div style="display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all;font-size:1px;line-height:1px;color:#1f2933">'
    yield from context.blocks['preheader'][0](context)
    yield escape((undefined(name='filler') if l_0_filler is missing else l_0_filler))
    yield '</div>\n<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" class="page" bgcolor="#eef1f5" style="background-color:#eef1f5"><tr><td align="center" style="padding:8px 8px 16px">\n<!--[if mso]><table role="presentation" width="600" align="center" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->\n<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" class="card" bgcolor="#ffffff" style="width:100%;max-width:600px;background-color:#ffffff;border:1px solid #d9dfe6;border-top:4px solid '
    yield from context.blocks['accent'][0](context)
    yield ';border-radius:10px;border-collapse:separate"><tr>\n<td class="pad" align="left" style="padding:14px 28px 20px;text-align:left">\n<div role="main">\n'
    yield from context.blocks['page'][0](context)
    yield '</div>\n</td></tr></table>\n<!--[if mso]></td></tr></table><![endif]-->\n<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="width:100%;max-width:600px"><tr>\n<td class="pad muted" align="center" style="padding:14px 28px;color:#52606d;'
    yield escape((undefined(name='font') if l_0_font is missing else l_0_font))
    yield ';font-size:12px;line-height:18px;text-align:center">'
    yield from context.blocks['footer'][0](context)
    yield '</td>\n</tr></table>\n</td></tr></table>\n</body>\n</html>\n'

def block_title(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    pass

def block_preheader(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    pass

def block_accent(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    pass

def block_page(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    pass

def block_footer(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    pass

blocks = {'title': block_title, 'preheader': block_preheader, 'accent': block_accent, 'page': block_page, 'footer': block_footer}
debug_info = '2=16&4=23&12=25&38=27&41=30&44=32&50=34&12=39&38=50&41=61&44=72&50=83'
