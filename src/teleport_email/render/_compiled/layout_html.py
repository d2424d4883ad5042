# Made of templates/ by packaging/templates.py. Do not edit.
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'layout.html'

def root(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    parent_template = None
    l_0_builtin = resolve('builtin')
    l_0_kind = resolve('kind')
    l_0_review = resolve('review')
    l_0_request = resolve('request')
    l_0_w = l_0_cut_below = l_0_cut_later = l_0_continued = l_0_more_in_text = l_0_button = l_0_font = l_0_mono = l_0_row = l_0_state_pill = l_0_pill = l_0_badge = l_0_quoted = l_0_continuing = l_0_command_line = l_0_none_above = l_0_news = l_0_reason_section = missing
    try:
        t_1 = environment.tests['defined']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No test named 'defined' found.")
    pass
    parent_template = environment.get_template('frame.html', 'layout.html')
    for name, parent_block in parent_template.blocks.items():
        context.blocks.setdefault(name, []).append(parent_block)
    l_0_w = context.vars['w'] = environment.get_template('words.jinja', 'layout.html').make_module(context.get_all(), True, {'badge': l_0_badge, 'builtin': l_0_builtin, 'button': l_0_button, 'command_line': l_0_command_line, 'continued': l_0_continued, 'continuing': l_0_continuing, 'cut_below': l_0_cut_below, 'cut_later': l_0_cut_later, 'font': l_0_font, 'mono': l_0_mono, 'more_in_text': l_0_more_in_text, 'news': l_0_news, 'none_above': l_0_none_above, 'pill': l_0_pill, 'quoted': l_0_quoted, 'reason_section': l_0_reason_section, 'row': l_0_row, 'state_pill': l_0_state_pill, 'w': l_0_w})
    context.exported_vars.discard('w')
    if (((t_1((undefined(name='w') if l_0_w is missing else l_0_w).cut_below) and t_1((undefined(name='w') if l_0_w is missing else l_0_w).cut_later)) and t_1((undefined(name='w') if l_0_w is missing else l_0_w).continued)) and t_1((undefined(name='w') if l_0_w is missing else l_0_w).more_in_text)):
        pass
        l_0_builtin = (undefined(name='w') if l_0_w is missing else l_0_w)
        context.vars['builtin'] = l_0_builtin
        context.exported_vars.add('builtin')
    else:
        pass
        l_0_builtin = context.vars['builtin'] = environment.get_template('builtin/words.jinja', 'layout.html').make_module(context.get_all(), True, {'badge': l_0_badge, 'builtin': l_0_builtin, 'button': l_0_button, 'command_line': l_0_command_line, 'continued': l_0_continued, 'continuing': l_0_continuing, 'cut_below': l_0_cut_below, 'cut_later': l_0_cut_later, 'font': l_0_font, 'mono': l_0_mono, 'more_in_text': l_0_more_in_text, 'news': l_0_news, 'none_above': l_0_none_above, 'pill': l_0_pill, 'quoted': l_0_quoted, 'reason_section': l_0_reason_section, 'row': l_0_row, 'state_pill': l_0_state_pill, 'w': l_0_w})
        context.exported_vars.discard('builtin')
    l_0_cut_below = ((undefined(name='w') if l_0_w is missing else l_0_w).cut_below if t_1((undefined(name='w') if l_0_w is missing else l_0_w).cut_below) else (undefined(name='builtin') if l_0_builtin is missing else l_0_builtin).cut_below)
    context.vars['cut_below'] = l_0_cut_below
    context.exported_vars.add('cut_below')
    l_0_cut_later = ((undefined(name='w') if l_0_w is missing else l_0_w).cut_later if t_1((undefined(name='w') if l_0_w is missing else l_0_w).cut_later) else (undefined(name='builtin') if l_0_builtin is missing else l_0_builtin).cut_later)
    context.vars['cut_later'] = l_0_cut_later
    context.exported_vars.add('cut_later')
    l_0_continued = ((undefined(name='w') if l_0_w is missing else l_0_w).continued if t_1((undefined(name='w') if l_0_w is missing else l_0_w).continued) else (undefined(name='builtin') if l_0_builtin is missing else l_0_builtin).continued)
    context.vars['continued'] = l_0_continued
    context.exported_vars.add('continued')
    l_0_more_in_text = ((undefined(name='w') if l_0_w is missing else l_0_w).more_in_text if t_1((undefined(name='w') if l_0_w is missing else l_0_w).more_in_text) else (undefined(name='builtin') if l_0_builtin is missing else l_0_builtin).more_in_text)
    context.vars['more_in_text'] = l_0_more_in_text
    context.exported_vars.add('more_in_text')
    included_template = environment.get_template('builtin/elements.html', 'layout.html')._get_default_module(context)
    l_0_button = getattr(included_template, 'button', missing)
    if l_0_button is missing:
        l_0_button = undefined(f"the template {included_template.__name__!r} (imported on line 13 in 'layout.html') does not export the requested name 'button'", name='button')
    l_0_font = getattr(included_template, 'font', missing)
    if l_0_font is missing:
        l_0_font = undefined(f"the template {included_template.__name__!r} (imported on line 13 in 'layout.html') does not export the requested name 'font'", name='font')
    l_0_mono = getattr(included_template, 'mono', missing)
    if l_0_mono is missing:
        l_0_mono = undefined(f"the template {included_template.__name__!r} (imported on line 13 in 'layout.html') does not export the requested name 'mono'", name='mono')
    l_0_row = getattr(included_template, 'row', missing)
    if l_0_row is missing:
        l_0_row = undefined(f"the template {included_template.__name__!r} (imported on line 13 in 'layout.html') does not export the requested name 'row'", name='row')
    l_0_state_pill = getattr(included_template, 'state_pill', missing)
    if l_0_state_pill is missing:
        l_0_state_pill = undefined(f"the template {included_template.__name__!r} (imported on line 13 in 'layout.html') does not export the requested name 'state_pill'", name='state_pill')
    context.vars.update({'button': l_0_button, 'font': l_0_font, 'mono': l_0_mono, 'row': l_0_row, 'state_pill': l_0_state_pill})
    context.exported_vars.difference_update(('button', 'font', 'mono', 'row', 'state_pill'))
    l_0_pill = {'PENDING': ('pending', '#fff3cd', '#5f4300', '#e0a800'), 'APPROVED': ('approved', '#dff3e4', '#14532d', '#2f9e57'), 'DENIED': ('denied', '#fde3e3', '#8a1414', '#d64545'), 'PROMOTED': ('promoted', '#e1ecfb', '#123f7a', '#3b7ddd'), 'EXPIRED': ('expired', '#e6e9ee', '#3b4754', '#7b8794'), 'ENDED': ('expired', '#e6e9ee', '#3b4754', '#7b8794')}
    context.vars['pill'] = l_0_pill
    context.exported_vars.add('pill')
    def macro(l_1_status):
        t_2 = []
        if l_1_status is missing:
            l_1_status = undefined("parameter 'status' was not provided", name='status')
        pass
        def macro():
            t_3 = []
            pass
            t_3.extend((
                escape(l_1_status.mark),
                '&nbsp;',
                escape((undefined(name='w') if l_0_w is missing else l_0_w).state()),
            ))
            return Markup(concat(t_3))
        caller = macro
        t_2.append((undefined(name='state_pill') if l_0_state_pill is missing else l_0_state_pill)((undefined(name='pill') if l_0_pill is missing else l_0_pill)[l_1_status.name], caller))
        return Markup(concat(t_2))
    context.exported_vars.add('badge')
    context.vars['badge'] = l_0_badge = macro
    def macro(l_1_quote, l_1_heading, l_1_later):
        t_4 = []
        if l_1_quote is missing:
            l_1_quote = undefined("parameter 'quote' was not provided", name='quote')
        if l_1_heading is missing:
            l_1_heading = undefined("parameter 'heading' was not provided", name='heading')
        if l_1_later is missing:
            l_1_later = False
        pass
        t_4.extend((
            '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 12px"><tr>\n<td class="box" bgcolor="#f4f6f9" style="background-color:#f4f6f9;border-left:4px solid #7b8794;padding:8px 12px;color:#1f2933;',
            escape((undefined(name='font') if l_0_font is missing else l_0_font)),
            ';font-size:15px;line-height:21px;word-break:break-word">\n<div class="muted" style="color:#52606d;font-size:13px;line-height:18px;font-weight:600">',
            escape(l_1_heading),
        ))
        if l_1_quote.rest:
            pass
            t_4.extend((
                ' ',
                escape((undefined(name='cut_below') if l_0_cut_below is missing else l_0_cut_below)(l_1_quote.more, )),
            ))
        elif l_1_quote.left_out:
            pass
            t_4.extend((
                ' ',
                escape(((undefined(name='cut_later') if l_0_cut_later is missing else l_0_cut_later)(l_1_quote.left_out, ) if l_1_later else (undefined(name='w') if l_0_w is missing else l_0_w).cut(l_1_quote.left_out, ))),
            ))
        t_4.append(
            '</div>\n',
        )
        if l_1_quote:
            pass
            t_4.append(
                '<div dir="auto">',
            )
            l_2_loop = missing
            for l_2_line, l_2_loop in LoopContext(l_1_quote.head, undefined):
                _loop_vars = {}
                pass
                t_4.append(
                    escape(l_2_line),
                )
                if (not l_2_loop.last):
                    pass
                    t_4.append(
                        '<br>',
                    )
            l_2_loop = l_2_line = missing
            t_4.append(
                '</div>\n',
            )
        else:
            pass
            t_4.extend((
                '<div class="muted" style="color:#52606d">',
                escape((undefined(name='w') if l_0_w is missing else l_0_w).no_reason()),
                '</div>\n',
            ))
        t_4.append(
            '</td></tr></table>\n',
        )
        return Markup(concat(t_4))
    context.exported_vars.add('quoted')
    context.vars['quoted'] = l_0_quoted = environment.macro(macro)
    def macro(l_1_quote, l_1_heading, l_1_later):
        t_5 = []
        if l_1_quote is missing:
            l_1_quote = undefined("parameter 'quote' was not provided", name='quote')
        if l_1_heading is missing:
            l_1_heading = undefined("parameter 'heading' was not provided", name='heading')
        if l_1_later is missing:
            l_1_later = False
        pass
        t_5.append(
            '<div',
        )
        if l_1_quote.rest:
            pass
            t_5.extend((
                ' class="box" style="margin:0 0 20px;background-color:#f4f6f9;border-left:4px solid #7b8794;padding:8px 12px;color:#1f2933;',
                escape((undefined(name='font') if l_0_font is missing else l_0_font)),
                ';font-size:15px;line-height:21px;word-break:break-word"',
            ))
        t_5.append(
            '>\n<div',
        )
        if l_1_quote.rest:
            pass
            t_5.append(
                ' class="muted" style="color:#52606d;font-size:13px;line-height:18px;font-weight:600"',
            )
        t_5.append(
            '>',
        )
        if l_1_quote.rest:
            pass
            t_5.append(
                escape((undefined(name='continued') if l_0_continued is missing else l_0_continued)(l_1_heading, )),
            )
            if l_1_quote.left_out:
                pass
                t_5.extend((
                    ' ',
                    escape(((undefined(name='cut_later') if l_0_cut_later is missing else l_0_cut_later)(l_1_quote.left_out, ) if l_1_later else (undefined(name='w') if l_0_w is missing else l_0_w).cut(l_1_quote.left_out, ))),
                ))
        t_5.append(
            '</div>\n<div dir="auto">',
        )
        l_2_loop = missing
        for l_2_line, l_2_loop in LoopContext(l_1_quote.rest, undefined):
            _loop_vars = {}
            pass
            t_5.append(
                escape(l_2_line),
            )
            if (not l_2_loop.last):
                pass
                t_5.append(
                    '<br>',
                )
        l_2_loop = l_2_line = missing
        t_5.append(
            '</div>\n</div>\n',
        )
        return Markup(concat(t_5))
    context.exported_vars.add('continuing')
    context.vars['continuing'] = l_0_continuing = environment.macro(macro)
    def macro(l_1_command):
        t_6 = []
        if l_1_command is missing:
            l_1_command = undefined("parameter 'command' was not provided", name='command')
        pass
        t_6.extend((
            '<div class="muted" style="margin:0 0 4px;color:#52606d;',
            escape((undefined(name='font') if l_0_font is missing else l_0_font)),
            ';font-size:13px;line-height:18px;font-weight:600">',
            escape((undefined(name='w') if l_0_w is missing else l_0_w).purposes[l_1_command.purpose]),
            '</div>\n<div class="box" style="margin:0 0 16px;background-color:#f4f6f9;border:0;color:#1f2933;',
            escape((undefined(name='mono') if l_0_mono is missing else l_0_mono)),
            ';font-size:13px;line-height:20px;padding:8px 12px;border-radius:6px;word-break:break-word">',
            escape(l_1_command.line),
            '</div>\n',
        ))
        return Markup(concat(t_6))
    context.exported_vars.add('command_line')
    context.vars['command_line'] = l_0_command_line = macro
    l_0_none_above = ((undefined(name='kind') if l_0_kind is missing else l_0_kind) == 'requester_approved')
    context.vars['none_above'] = l_0_none_above
    context.exported_vars.add('none_above')
    l_0_news = ((undefined(name='review') if l_0_review is missing else l_0_review).reason if (undefined(name='review') if l_0_review is missing else l_0_review) else (undefined(name='request') if l_0_request is missing else l_0_request).resolve_reason)
    context.vars['news'] = l_0_news
    context.exported_vars.add('news')
    t_7 = []
    pass
    gen = context.blocks['reason'][0](context)
    try:
        for event in gen:
            t_7.append(event)
    finally: gen.close()
    l_0_reason_section = (Markup if context.eval_ctx.autoescape else identity)(concat(t_7))
    context.vars['reason_section'] = l_0_reason_section
    context.exported_vars.add('reason_section')
    yield from parent_template.root_render_func(context)

def block_reason(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_request = resolve('request')
    l_0_quoted = resolve('quoted')
    l_0_w = resolve('w')
    l_0_begins = resolve('begins')
    pass
    if ((undefined(name='request') if l_0_request is missing else l_0_request).reason or (not (undefined(name='request') if l_0_request is missing else l_0_request).resolve_reason)):
        pass
        yield escape((undefined(name='quoted') if l_0_quoted is missing else l_0_quoted)((undefined(name='request') if l_0_request is missing else l_0_request).reason, ((undefined(name='w') if l_0_w is missing else l_0_w).labels['request_reason'] if (undefined(name='request') if l_0_request is missing else l_0_request).resolve_reason else (undefined(name='w') if l_0_w is missing else l_0_w).labels['reason']), (not (undefined(name='begins') if l_0_begins is missing else l_0_begins)), ))
        yield '\n'

def block_title(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_w = resolve('w')
    pass
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).title())

def block_preheader(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_w = resolve('w')
    try:
        t_8 = environment.filters['striptags']
    except KeyError:
        @internalcode
        def t_8(*unused):
            raise TemplateRuntimeError("No filter named 'striptags' found.")
    pass
    yield escape(t_8((undefined(name='w') if l_0_w is missing else l_0_w).preheader()))

def block_accent(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_pill = resolve('pill')
    l_0_request = resolve('request')
    pass
    yield escape((undefined(name='pill') if l_0_pill is missing else l_0_pill)[(undefined(name='request') if l_0_request is missing else l_0_request).status.name][3])

def block_page(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_news = resolve('news')
    l_0_none_above = resolve('none_above')
    l_0_reason_section = resolve('reason_section')
    l_0_row = resolve('row')
    l_0_w = resolve('w')
    l_0_request = resolve('request')
    try:
        t_9 = environment.filters['join']
    except KeyError:
        @internalcode
        def t_9(*unused):
            raise TemplateRuntimeError("No filter named 'join' found.")
    pass
    yield from context.blocks['heading'][0](context)
    yield from context.blocks['decision'][0](context)
    if ((not (undefined(name='news') if l_0_news is missing else l_0_news)) and (not (undefined(name='none_above') if l_0_none_above is missing else l_0_none_above))):
        pass
        yield escape((undefined(name='reason_section') if l_0_reason_section is missing else l_0_reason_section))
        yield '\n'
    yield from context.blocks['action'][0](context)
    yield from context.blocks['rest'][0](context)
    yield '<table width="100%" cellpadding="0" cellspacing="0" border="0" style="width:100%;border-collapse:collapse">\n'
    def macro():
        t_10 = []
        l_1_details = resolve('details')
        pass
        t_10.append(
            escape((undefined(name='request') if l_0_request is missing else l_0_request).user),
        )
        if ('name' in (undefined(name='details') if l_1_details is missing else l_1_details)):
            pass
            t_10.extend((
                '<br>',
                escape((undefined(name='request') if l_0_request is missing else l_0_request).name),
            ))
        return Markup(concat(t_10))
    caller = macro
    yield (undefined(name='row') if l_0_row is missing else l_0_row)((undefined(name='w') if l_0_w is missing else l_0_w).labels['user'], caller)
    if (undefined(name='request') if l_0_request is missing else l_0_request).roles:
        pass
        def macro():
            t_11 = []
            l_1_more_in_text = resolve('more_in_text')
            pass
            t_11.append(
                escape(t_9(context.eval_ctx, (undefined(name='request') if l_0_request is missing else l_0_request).roles.items, ', ')),
            )
            if (undefined(name='request') if l_0_request is missing else l_0_request).roles.more:
                pass
                t_11.extend((
                    ' ',
                    escape((undefined(name='more_in_text') if l_1_more_in_text is missing else l_1_more_in_text)((undefined(name='request') if l_0_request is missing else l_0_request).roles.more, )),
                ))
            return Markup(concat(t_11))
        caller = macro
        yield (undefined(name='row') if l_0_row is missing else l_0_row)((undefined(name='w') if l_0_w is missing else l_0_w).labels['roles'], caller)
    yield from context.blocks['details'][0](context)
    def macro():
        t_12 = []
        l_1_cluster = resolve('cluster')
        pass
        t_12.append(
            escape((undefined(name='cluster') if l_1_cluster is missing else l_1_cluster)),
        )
        return Markup(concat(t_12))
    caller = macro
    yield (undefined(name='row') if l_0_row is missing else l_0_row)((undefined(name='w') if l_0_w is missing else l_0_w).labels['cluster'], caller)
    def macro():
        t_13 = []
        l_1_mono = resolve('mono')
        pass
        t_13.extend((
            '<span style="',
            escape((undefined(name='mono') if l_1_mono is missing else l_1_mono)),
            ';font-size:13px">',
            escape((undefined(name='request') if l_0_request is missing else l_0_request).id),
            '</span>',
        ))
        return Markup(concat(t_13))
    caller = macro
    yield (undefined(name='row') if l_0_row is missing else l_0_row)((undefined(name='w') if l_0_w is missing else l_0_w).labels['id'], caller)
    yield '</table>\n'

def block_heading(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_badge = resolve('badge')
    l_0_request = resolve('request')
    l_0_font = resolve('font')
    l_0_w = resolve('w')
    l_0_commands = resolve('commands')
    pass
    yield '<div style="margin:0 0 6px">'
    yield escape((undefined(name='badge') if l_0_badge is missing else l_0_badge)((undefined(name='request') if l_0_request is missing else l_0_request).status, ))
    yield '</div>\n<h1 class="text" style="margin:0 0 4px;color:#1f2933;'
    yield escape((undefined(name='font') if l_0_font is missing else l_0_font))
    yield ';font-size:20px;line-height:26px;font-weight:700">'
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).title())
    yield '</h1>\n<p class="text" style="margin:0 0 10px;color:#1f2933;'
    yield escape((undefined(name='font') if l_0_font is missing else l_0_font))
    yield ';font-size:16px;line-height:23px;word-break:break-word">'
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).summary())
    yield '</p>\n'
    if (undefined(name='w') if l_0_w is missing else l_0_w).next_step():
        pass
        yield '<p class="text" style="margin:0 0 10px;color:#1f2933;'
        yield escape((undefined(name='font') if l_0_font is missing else l_0_font))
        yield ';font-size:16px;line-height:23px">'
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).next_step())
        yield '</p>\n'
    def t_14(fiter):
        for l_1_command in fiter:
            if (l_1_command.purpose == 'use'):
                yield l_1_command
    for l_1_command in t_14((undefined(name='commands') if l_0_commands is missing else l_0_commands)):
        l_1_command_line = resolve('command_line')
        _loop_vars = {}
        pass
        yield escape((undefined(name='command_line') if l_1_command_line is missing else l_1_command_line)(l_1_command, ))
        yield '\n'
    l_1_command = l_1_command_line = missing

def block_decision(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_request = resolve('request')
    l_0_none_above = resolve('none_above')
    l_0_quoted = resolve('quoted')
    l_0_w = resolve('w')
    pass
    if ((undefined(name='request') if l_0_request is missing else l_0_request).resolve_reason and (not (undefined(name='none_above') if l_0_none_above is missing else l_0_none_above))):
        pass
        yield escape((undefined(name='quoted') if l_0_quoted is missing else l_0_quoted)((undefined(name='request') if l_0_request is missing else l_0_request).resolve_reason, (undefined(name='w') if l_0_w is missing else l_0_w).labels['resolve_reason'], ))
        yield '\n'

def block_action(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_link = resolve('link')
    l_0_button = resolve('button')
    l_0_w = resolve('w')
    l_0_commands = resolve('commands')
    pass
    if (undefined(name='link') if l_0_link is missing else l_0_link):
        pass
        yield escape((undefined(name='button') if l_0_button is missing else l_0_button)((undefined(name='link') if l_0_link is missing else l_0_link), (undefined(name='w') if l_0_w is missing else l_0_w).button(), ))
        yield '\n'
    def t_15(fiter):
        for l_1_command in fiter:
            if (l_1_command.purpose != 'use'):
                yield l_1_command
    for l_1_command in t_15((undefined(name='commands') if l_0_commands is missing else l_0_commands)):
        l_1_command_line = resolve('command_line')
        _loop_vars = {}
        pass
        yield escape((undefined(name='command_line') if l_1_command_line is missing else l_1_command_line)(l_1_command, ))
        yield '\n'
    l_1_command = l_1_command_line = missing

def block_rest(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_none_above = resolve('none_above')
    l_0_request = resolve('request')
    l_0_quoted = resolve('quoted')
    l_0_w = resolve('w')
    l_0_reason_section = resolve('reason_section')
    l_0_news = resolve('news')
    l_0_continuing = resolve('continuing')
    l_0_review = resolve('review')
    l_0_begins = resolve('begins')
    pass
    if (undefined(name='none_above') if l_0_none_above is missing else l_0_none_above):
        pass
        if (undefined(name='request') if l_0_request is missing else l_0_request).resolve_reason:
            pass
            yield escape((undefined(name='quoted') if l_0_quoted is missing else l_0_quoted)((undefined(name='request') if l_0_request is missing else l_0_request).resolve_reason, (undefined(name='w') if l_0_w is missing else l_0_w).labels['resolve_reason'], ))
            yield '\n'
        yield escape((undefined(name='reason_section') if l_0_reason_section is missing else l_0_reason_section))
        yield '\n'
    elif (undefined(name='news') if l_0_news is missing else l_0_news):
        pass
        yield escape((undefined(name='continuing') if l_0_continuing is missing else l_0_continuing)((undefined(name='news') if l_0_news is missing else l_0_news), ((undefined(name='w') if l_0_w is missing else l_0_w).labels['reason'] if (undefined(name='review') if l_0_review is missing else l_0_review) else (undefined(name='w') if l_0_w is missing else l_0_w).labels['resolve_reason']), ))
        yield '\n'
        yield escape((undefined(name='reason_section') if l_0_reason_section is missing else l_0_reason_section))
        yield '\n'
    else:
        pass
        yield escape((undefined(name='continuing') if l_0_continuing is missing else l_0_continuing)((undefined(name='request') if l_0_request is missing else l_0_request).reason, (undefined(name='w') if l_0_w is missing else l_0_w).labels['reason'], (not (undefined(name='begins') if l_0_begins is missing else l_0_begins)), ))
        yield '\n'

def block_details(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_details = resolve('details')
    pass
    def t_16(fiter):
        l_1_w = resolve('w')
        for l_1_key in fiter:
            if ((l_1_key != 'name') and (l_1_key in (undefined(name='w') if l_1_w is missing else l_1_w).labels)):
                yield l_1_key
    l_1_loop = missing
    for l_1_key, l_1_loop in LoopContext(t_16((undefined(name='details') if l_0_details is missing else l_0_details)), undefined):
        l_1_row = resolve('row')
        l_1_w = resolve('w')
        _loop_vars = {}
        pass
        def macro():
            t_17 = []
            l_2_request = resolve('request')
            pass
            if (l_1_key == 'resources'):
                pass
                for l_3_resource in (undefined(name='request') if l_2_request is missing else l_2_request).resources:
                    _loop_vars = {}
                    pass
                    t_17.extend((
                        '<div><span class="muted" style="color:#52606d">',
                        escape((undefined(name='w') if l_1_w is missing else l_1_w).kinds.get(l_3_resource.kind, l_3_resource.kind, )),
                        '</span> ',
                        escape(l_3_resource.name),
                    ))
                    if l_3_resource.cluster:
                        pass
                        t_17.extend((
                            ' (',
                            escape((undefined(name='w') if l_1_w is missing else l_1_w).labels['cluster']),
                            ' ',
                            escape(l_3_resource.cluster),
                            ')',
                        ))
                    t_17.append(
                        '</div>\n',
                    )
                l_3_resource = missing
                if (undefined(name='request') if l_2_request is missing else l_2_request).resources_more:
                    pass
                    t_17.extend((
                        '<div>',
                        escape((undefined(name='w') if l_1_w is missing else l_1_w).more((undefined(name='request') if l_2_request is missing else l_2_request).resources_more, )),
                        '</div>\n',
                    ))
            elif (l_1_key == 'reviews'):
                pass
                if (undefined(name='request') if l_2_request is missing else l_2_request).reviews_before:
                    pass
                    t_17.extend((
                        '<div class="muted" style="color:#52606d">',
                        escape((undefined(name='w') if l_1_w is missing else l_1_w).earlier((undefined(name='request') if l_2_request is missing else l_2_request).reviews_before, )),
                        '</div>\n',
                    ))
                l_3_loop = missing
                for l_3_one, l_3_loop in LoopContext((undefined(name='request') if l_2_request is missing else l_2_request).reviews, undefined):
                    _loop_vars = {}
                    pass
                    t_17.extend((
                        '<div style="margin:0 0 6px">',
                        escape(l_3_one.status.mark),
                        ' ',
                        escape((undefined(name='w') if l_1_w is missing else l_1_w).reviewed(l_3_one, )),
                        '\n',
                    ))
                    if l_3_one.reason:
                        pass
                        t_17.append(
                            '<div class="box" dir="auto" style="margin:4px 0 0;background-color:#f4f6f9;border-left:3px solid #7b8794;padding:4px 10px;color:#1f2933">',
                        )
                        l_4_loop = missing
                        for l_4_line, l_4_loop in LoopContext(l_3_one.reason.lines, undefined):
                            _loop_vars = {}
                            pass
                            t_17.append(
                                escape(l_4_line),
                            )
                            if (not l_4_loop.last):
                                pass
                                t_17.append(
                                    '<br>',
                                )
                        l_4_loop = l_4_line = missing
                        t_17.append(
                            '</div>\n',
                        )
                    t_17.append(
                        '</div>\n',
                    )
                l_3_loop = l_3_one = missing
            else:
                pass
                t_17.extend((
                    escape((undefined(name='w') if l_1_w is missing else l_1_w).fact(l_1_key, )),
                    '\n',
                ))
            return Markup(concat(t_17))
        caller = macro
        yield (undefined(name='row') if l_1_row is missing else l_1_row)((undefined(name='w') if l_1_w is missing else l_1_w).labels[l_1_key], caller)
    l_1_loop = l_1_key = l_1_row = l_1_w = missing

def block_footer(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_w = resolve('w')
    pass
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).footer())

blocks = {'reason': block_reason, 'title': block_title, 'preheader': block_preheader, 'accent': block_accent, 'page': block_page, 'heading': block_heading, 'decision': block_decision, 'action': block_action, 'rest': block_rest, 'details': block_details, 'footer': block_footer}
debug_info = '1=25&2=28&3=30&4=32&6=37&9=39&10=42&11=45&12=48&13=51&14=69&22=72&23=77&26=91&28=102&29=104&30=121&31=127&33=146&38=155&39=167&40=177&41=200&44=218&45=225&46=229&49=237&50=240&52=247&51=250&52=255&53=269&54=271&58=274&59=287&60=306&61=320&62=342&73=343&78=344&79=346&81=348&89=349&103=351&104=367&105=369&107=385&134=386&135=396&62=412&63=428&64=430&65=434&66=438&67=441&69=445&70=453&73=457&74=471&75=473&81=476&82=490&83=492&85=494&86=502&89=506&90=525&91=527&92=529&94=531&95=533&96=535&97=537&99=541&107=544&108=555&109=566&110=570&111=572&112=577&114=594&115=598&117=601&118=603&119=607&121=611&122=616&123=621&124=627&129=649&109=654&138=657'
