# Made of templates/ by packaging/templates.py. Do not edit.
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'elements.html'

def root(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    l_0_font = l_0_mono = l_0_state_pill = l_0_button = l_0_row = missing
    pass
    t_1 = []
    pass
    t_1.append(
        'font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif',
    )
    l_0_font = (Markup if context.eval_ctx.autoescape else identity)(concat(t_1))
    context.vars['font'] = l_0_font
    context.exported_vars.add('font')
    t_2 = []
    pass
    t_2.append(
        'font-family:Menlo,Consolas,Liberation Mono,monospace',
    )
    l_0_mono = (Markup if context.eval_ctx.autoescape else identity)(concat(t_2))
    context.vars['mono'] = l_0_mono
    context.exported_vars.add('mono')
    def macro(l_1_colours, l_1_caller):
        t_3 = []
        if l_1_colours is missing:
            l_1_colours = undefined("parameter 'colours' was not provided", name='colours')
        pass
        t_3.extend((
            '<span class="',
            escape(l_1_colours[0]),
            '" style="display:inline-block;background-color:',
            escape(l_1_colours[1]),
            ';color:',
            escape(l_1_colours[2]),
            ';border-radius:12px;padding:3px 12px;',
            escape((undefined(name='font') if l_0_font is missing else l_0_font)),
            ';font-size:14px;line-height:20px;font-weight:600;white-space:nowrap">',
            escape(l_1_caller()),
            '</span>\n',
        ))
        return Markup(concat(t_3))
    context.exported_vars.add('state_pill')
    context.vars['state_pill'] = l_0_state_pill = macro
    def macro(l_1_link, l_1_text, l_1_small):
        t_4 = []
        l_1_pad = missing
        if l_1_link is missing:
            l_1_link = undefined("parameter 'link' was not provided", name='link')
        if l_1_text is missing:
            l_1_text = undefined("parameter 'text' was not provided", name='text')
        if l_1_small is missing:
            l_1_small = False
        pass
        l_1_pad = ('8px 16px' if l_1_small else '12px 24px')
        t_4.extend((
            '<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:',
            escape(('10px 0 0' if l_1_small else '0 0 20px')),
            '"><tr>\n<td align="center" class="button" bgcolor="#1d5fc4" style="background-color:#1d5fc4;border-radius:8px;mso-padding-alt:',
            escape((undefined(name='pad') if l_1_pad is missing else l_1_pad)),
            '"><a href="',
            escape(l_1_link),
            '" class="button" style="display:inline-block;padding:',
            escape((undefined(name='pad') if l_1_pad is missing else l_1_pad)),
            ';background-color:#1d5fc4;border-radius:8px;color:#ffffff;',
            escape((undefined(name='font') if l_0_font is missing else l_0_font)),
            ';font-size:',
            escape((15 if l_1_small else 16)),
            'px;line-height:20px;font-weight:600;text-decoration:none">',
            escape(l_1_text),
            '</a></td>\n</tr></table>\n',
        ))
        return Markup(concat(t_4))
    context.exported_vars.add('button')
    context.vars['button'] = l_0_button = environment.macro(macro)
    def macro(l_1_label, l_1_caller):
        t_5 = []
        if l_1_label is missing:
            l_1_label = undefined("parameter 'label' was not provided", name='label')
        pass
        t_5.extend((
            '<tr><th scope="row" align="left" valign="top" width="104" class="muted line" style="width:104px;padding:9px 12px 9px 0;border-top:1px solid #d9dfe6;color:#52606d;',
            escape((undefined(name='font') if l_0_font is missing else l_0_font)),
            ';font-size:14px;line-height:20px;font-weight:400;text-align:left">',
            escape(l_1_label),
            '</th>\n<td valign="top" class="text line" style="padding:9px 0;border-top:1px solid #d9dfe6;color:#1f2933;',
            escape((undefined(name='font') if l_0_font is missing else l_0_font)),
            ';font-size:14px;line-height:20px;word-break:break-word">',
            escape(l_1_caller()),
            '</td></tr>\n',
        ))
        return Markup(concat(t_5))
    context.exported_vars.add('row')
    context.vars['row'] = l_0_row = macro

blocks = {}
debug_info = '2=19&3=27&5=30&6=37&8=51&9=61&10=64&11=66&14=82&15=89&16=93'
